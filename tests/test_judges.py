"""Each judge, where its package is installed, knows clean speech from noisy and bears silence."""

import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from model import judges
from model.judges import (
    DistillMos,
    Dnsmos,
    Estoi,
    Judge,
    Pesq,
    Speaker,
    SpectralDistance,
    Utterance,
    Words,
    load_judges,
)
from model.plan import SAMPLE_RATE_HZ
from realtime.demo import SAMPLE
from tests.voice import Audio, voice


@pytest.fixture(scope="module")
def clean() -> Audio:
    return voice(3.0)


@pytest.fixture(scope="module")
def noisy(clean: Audio) -> Audio:
    return clean + 0.1 * np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)


def installed(make: Callable[[], Judge]) -> Judge:
    try:
        return make()
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.parametrize(
    ("make", "column", "of_itself"),
    [(Estoi, "ESTOI", 1.0), (Pesq, "PESQ", 4.64), (Speaker, "speaker", 1.0), (SpectralDistance, "LSD", 0.0)],
)
def test_judges_with_a_reference_prefer_it_to_noise(
    make: Callable[[], Judge], column: str, of_itself: float, clean: Audio, noisy: Audio
) -> None:
    same, worse = installed(make).score(Utterance(clean), [clean, noisy])
    assert same[column] == pytest.approx(of_itself, abs=0.01)
    assert abs(worse[column] - of_itself) > 0.1


def test_dnsmos_hears_a_noisy_background(clean: Audio, noisy: Audio) -> None:
    quiet, loud = installed(lambda: Dnsmos(threads=1)).score(Utterance(clean), [clean, noisy])
    assert all(1.0 <= value <= 5.0 for value in (*quiet.values(), *loud.values()))
    assert quiet["BAK"] > loud["BAK"] + 0.5


def test_distill_mos_hears_noise_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    clean, noisy = (
        soundfile.read(SAMPLE.with_name(f"{name}_speech.flac"), dtype="float32")[0]
        for name in ("clean", "noisy")
    )
    quiet, loud = installed(DistillMos).score(Utterance(clean), [clean, noisy])
    assert 1.0 <= loud["MOS"] < quiet["MOS"] - 1.0 <= 4.0
    assert capsys.readouterr().out == ""


def test_dnsmos_agrees_with_its_package() -> None:
    judge = installed(lambda: Dnsmos(threads=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dnsmos = pytest.importorskip("speechmos.dnsmos")
    audio = voice(9.5)
    theirs = dnsmos.run(judges.at_judge_rate(audio), sr=judges.JUDGE_RATE_HZ)
    ours = judge.score(Utterance(audio), [audio])[0]
    assert ours["OVRL"] == pytest.approx(theirs["ovrl_mos"], abs=1e-3)
    assert ours["SIG"] == pytest.approx(theirs["sig_mos"], abs=1e-3)
    assert ours["BAK"] == pytest.approx(theirs["bak_mos"], abs=1e-3)


@pytest.mark.parametrize(
    "make", [Estoi, Pesq, Speaker, SpectralDistance, DistillMos, lambda: Dnsmos(1), lambda: Words(1)]
)
def test_silent_and_tiny_versions_get_finite_scores_or_none(make: Callable[[], Judge], clean: Audio) -> None:
    judge = installed(make)
    tiny = clean[: SAMPLE_RATE_HZ // 10]
    silent = judge.score(Utterance(clean, "a text"), [np.zeros_like(clean)])
    short = judge.score(Utterance(tiny, "a text"), [tiny])
    assert all(np.isfinite(value) for scores in (*silent, *short) for value in scores.values())


def test_word_errors_are_counted_without_case_and_punctuation() -> None:
    judge = installed(lambda: Words(threads=1))
    assert isinstance(judge, Words)
    assert judge.compare("The cat sat.", "the cat sat") == {"WER": 0.0}
    assert judge.compare("The cat sat down", "the cat lay")["WER"] == pytest.approx(0.5)
    assert judge.compare("The cat", "")["WER"] == 1.0
    assert judge.compare("...", "words") == {}


def test_words_are_judged_only_where_a_text_is_known(clean: Audio) -> None:
    judge = installed(lambda: Words(threads=1))
    assert judge.score(Utterance(clean), [clean]) == [{}]


def test_a_missing_package_costs_its_judge_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "package_folder", _absent)
    monkeypatch.setitem(sys.modules, "pesq", None)  # as if not installed
    made, missing = load_judges()
    assert {type(judge) for judge in made}.isdisjoint({Dnsmos, Pesq})
    assert any(isinstance(judge, SpectralDistance) for judge in made)
    assert any(sentence.startswith("PESQ needs pesq") for sentence in missing)
    assert any(sentence.startswith("DNSMOS needs") for sentence in missing)


def _absent(name: str) -> None:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
