"""Evaluation of restorers on a folder of clean and noisy pairs, judged per condition.

The folder holds `index.csv` (name, condition, detail) and NAME_clean.flac, NAME_noisy.flac at 44.1 kHz. In
the condition `noiseonly` the clean half is silent; in `words` the detail is the English text that is spoken.
"""

import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile
from numpy.typing import NDArray

from model.errors import AudioFileError, DataError
from model.judges import Judge, Scores, Utterance, load_judges
from model.measures import level_change_db, treble_change_db
from model.plan import SAMPLE_RATE_HZ

Audio = NDArray[np.float32]
Restorer = Callable[[Audio], Audio]  # float32[samples] at 44.1 kHz to the same, aligned sample for sample
Ideal = Callable[[Audio, Audio], Audio]  # one that is told the clean speech besides
Progress = Callable[[int, int], None]  # (items done, items in all)

COLUMNS = (
    "SIG",
    "BAK",
    "OVRL",
    "MOS",
    "ESTOI",
    "PESQ",
    "LSD",
    "speaker",
    "WER",
    "level dB",
    "treble dB",
    "RTF",
)
UNPROCESSED, CLEAN_TARGET = "unprocessed", "clean target"
ALL_SPEECH = "all speech"


@dataclass(frozen=True)
class Item:
    """One pair of the folder."""

    name: str
    condition: str
    detail: str


@dataclass(frozen=True)
class Pair:
    """An item's sound, float32[samples] at 44.1 kHz: `clean`, and `heard`, which is to become that."""

    item: Item
    clean: Audio
    heard: Audio


@dataclass(frozen=True)
class Row:
    """Mean scores of one system in one condition; a score that no item has is absent."""

    condition: str
    system: str
    items: int
    scores: Scores


@dataclass(frozen=True)
class Report:
    """Rows by condition and system, and what the reader should know about empty columns."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        return json.dumps({"rows": [asdict(row) for row in self.rows], "notes": self.notes}, indent=2)

    def to_table(self) -> str:
        """An aligned Markdown table, `-` where a score is absent, with the notes below it."""
        header = ["condition", "system", "items", *COLUMNS]
        body = [[row.condition, row.system, str(row.items), *_cells(row.scores)] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
        lines = [header, ["-" * width for width in widths], *body]
        table = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
        return "\n".join([*table, *self.notes])


def evaluate(
    folder: Path,
    restorers: Mapping[str, Restorer],
    *,
    ideals: Mapping[str, Ideal] = MappingProxyType({}),
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    judges: Sequence[Judge] | None = None,
) -> Report:
    """Judge the recordings as they are, every restorer's output and the clean targets.

    `limit` caps the items of each condition; `judges` default to all that are installed. Rows of the
    condition `all speech` are means over every item with speech. Real-time factors are wall time over
    audio time. What `ideals` make of noisy and clean recordings is judged as well.

    Raises:
        DataError: the folder is no evaluation set.
        AudioFileError: one of its recordings cannot be read.
        ValueError: a restorer returns another length than it was given.
    """
    items = read_index(folder, limit)
    pairs = (Pair(item, *(_read(folder, item, half) for half in ("clean", "noisy"))) for item in items)
    return judge_pairs(pairs, len(items), restorers, ideals=ideals, progress=progress, judges=judges)


def evaluate_codec(
    folder: Path,
    resynthesizers: Mapping[str, Restorer],
    *,
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    judges: Sequence[Judge] | None = None,
) -> Report:
    """Judge a codec on the clean halves alone: `unprocessed` is clean speech, which the others re-synthesise.

    Arguments and errors are those of `evaluate`.
    """
    items = [item for item in read_index(folder, limit) if item.condition != "noiseonly"]
    pairs = (Pair(item, clean, clean) for item in items for clean in [_read(folder, item, "clean")])
    return judge_pairs(pairs, len(items), resynthesizers, progress=progress, judges=judges)


def read_index(folder: Path, limit: int | None = None) -> list[Item]:
    """List the pairs of an evaluation folder, at most `limit` of each condition.

    Raises:
        DataError: there is no index, or it lacks a column or any row.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise DataError(f"{folder} has no index.csv; name a folder that lists its recordings in one.")
    with index.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or not {"name", "condition", "detail"} <= rows[0].keys():
        raise DataError(f"{index} must have the columns name, condition and detail, and at least one row.")
    seen: Counter[str] = Counter()
    items = []
    for row in rows:
        seen[row["condition"]] += 1
        if limit is None or seen[row["condition"]] <= limit:
            items.append(Item(row["name"], row["condition"], row["detail"] or ""))
    return items


def judge_pairs(
    pairs: Iterable[Pair],
    count: int,
    restorers: Mapping[str, Restorer],
    *,
    ideals: Mapping[str, Ideal] = MappingProxyType({}),
    progress: Progress = lambda done, total: None,
    judges: Sequence[Judge] | None = None,
) -> Report:
    """As `evaluate`, of `count` pairs from anywhere."""
    judges, notes = load_judges() if judges is None else (judges, [])
    systems = {name: _untold(restore) for name, restore in restorers.items()} | dict(ideals)
    gathered: dict[tuple[str, str], list[Scores]] = {}
    for done, pair in enumerate(pairs, 1):
        for system, scores in _score(pair, systems, judges).items():
            gathered.setdefault((pair.item.condition, system), []).append(scores)
            if np.any(pair.clean):
                gathered.setdefault((ALL_SPEECH, system), []).append(scores)
        progress(done, count)
    order = sorted(gathered, key=lambda key: key[0] == ALL_SPEECH)  # stable: as they came, that one last
    return Report(tuple(_row(*key, gathered[key]) for key in order), tuple(notes))


def _untold(restore: Restorer) -> Ideal:
    return lambda heard, clean: restore(heard)


def _score(pair: Pair, systems: Mapping[str, Ideal], judges: Sequence[Judge]) -> dict[str, Scores]:
    """Restore one recording with every system and score all its versions, by system."""
    heard, clean = pair.heard, pair.clean
    versions = {UNPROCESSED: heard}
    factors: dict[str, float] = {}
    for system, restore in systems.items():
        started_s = time.perf_counter()
        versions[system] = restore(heard, clean)
        factors[system] = (time.perf_counter() - started_s) * SAMPLE_RATE_HZ / len(heard)
        if versions[system].shape != heard.shape:
            raise ValueError(
                f"{system} returned {versions[system].shape} for {heard.shape} at {pair.item.name}"
            )
    if heard is not clean:
        versions[CLEAN_TARGET] = clean
    scores = _judge(pair.item, clean, heard, list(versions.values()), judges)
    by_system = dict(zip(versions, scores, strict=True))
    for system, factor in factors.items():
        by_system[system]["RTF"] = factor
    return by_system


def _judge(
    item: Item, clean: Audio, heard: Audio, versions: Sequence[Audio], judges: Sequence[Judge]
) -> list[Scores]:
    if not np.any(clean):
        return [{"level dB": level_change_db(heard, version)} for version in versions]
    scores: list[Scores] = [{} for _ in versions]
    if item.condition == "lowband":
        scores = [{"treble dB": treble_change_db(clean, version)} for version in versions]
    utterance = Utterance(clean, item.detail if item.condition == "words" else None)
    for judge in judges:
        for mine, judged in zip(scores, judge.score(utterance, versions), strict=True):
            mine.update(judged)
    return scores


def _row(condition: str, system: str, scores: Sequence[Scores]) -> Row:
    known = [column for column in COLUMNS if any(column in score for score in scores)]
    means = {
        column: float(np.mean([score[column] for score in scores if column in score])) for column in known
    }
    return Row(condition, system, len(scores), means)


def _cells(scores: Scores) -> list[str]:
    return [f"{scores[column]:.2f}" if column in scores else "-" for column in COLUMNS]


def _read(folder: Path, item: Item, half: str) -> Audio:
    return read_recording(folder / f"{item.name}_{half}.flac")


def read_recording(path: Path) -> Audio:
    """Read mono sound, float32 [samples] at 44.1 kHz.

    Raises:
        AudioFileError: it cannot be read, or is of another kind.
    """
    try:
        audio, rate_hz = soundfile.read(path, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise AudioFileError(f"{path} cannot be read ({error.error_string}); restore the file.") from error
    if rate_hz != SAMPLE_RATE_HZ or audio.ndim != 1 or len(audio) == 0:
        raise AudioFileError(f"{path} must be mono at {SAMPLE_RATE_HZ} Hz and not empty; convert it.")
    return audio
