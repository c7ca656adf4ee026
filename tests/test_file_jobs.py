"""Picked files and folders become jobs whose targets are free, beside their sources."""

from pathlib import Path

from realtime.file_jobs import FileJob, plan_jobs


def touched(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_results_go_beside_their_sources_in_the_same_format(tmp_path: Path) -> None:
    voice, film = tmp_path / "a" / "voice.FLAC", tmp_path / "film.xyz"
    assert list(plan_jobs([voice, film], "studio", set())) == [
        FileJob(voice, tmp_path / "a" / "voice restored.FLAC", "studio"),
        FileJob(film, tmp_path / "film restored.wav", "studio"),
    ]


def test_folders_stand_for_the_audio_files_below_them(tmp_path: Path) -> None:
    touched(tmp_path / "b.wav", tmp_path / "deep" / "er" / "a.mp3", tmp_path / "notes.txt")
    sources = [job.source for job in plan_jobs([tmp_path], "cpu", set())]
    assert sources == [tmp_path / "b.wav", tmp_path / "deep" / "er" / "a.mp3"]


def test_no_target_is_there_already_or_promised_twice(tmp_path: Path) -> None:
    source = tmp_path / "v.wav"
    touched(source, tmp_path / "v restored.wav")
    promised = {tmp_path / "v restored 2.wav"}
    jobs = [*plan_jobs([source, source], "cpu", promised), *plan_jobs([source], "cpu", promised)]
    assert [job.target.name for job in jobs] == [f"v restored {number}.wav" for number in (3, 4, 5)]
