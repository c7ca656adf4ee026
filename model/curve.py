"""The curve of quality and cost against sampling passes, restarting and rolling, with and without guidance.

It is measured on the recordings of an evaluation folder whose words are known, since only there can all of
its figures be. What has been measured is kept, and not measured again.
"""

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from model.errors import DataError, MaskSRError
from model.evaluate import Audio, Item, Progress, Restorer, read_index, read_recording
from model.judges import Judge, Scores, Utterance, load_judges
from model.masksr import MaskSR
from model.orders import orders
from model.plan import SAMPLE_RATE_HZ, Sampling
from model.sampler import Unmasking

PASSES = (1, 2, 4, 8, 16)
GUIDANCE = (0.0, 1.0)
COMPUTE = "compute"  # processor time over the sound's duration
FIGURES = ("OVRL", "ESTOI", "WER", "speaker", COMPUTE)


@dataclass(frozen=True)
class Line:
    """One line of the plot: what varies beside the passes."""

    name: str
    sampling: Sampling
    guidance: float = 0.0
    unmasking: Unmasking | None = None  # that in use


def sampling_lines() -> list[Line]:
    """Both kinds of sampling, without guidance and with it."""
    lines = itertools.product(GUIDANCE, get_args(Sampling))
    return [Line(f"{sampling}, guidance {guidance:g}", sampling, guidance) for guidance, sampling in lines]


def order_lines(model: MaskSR) -> list[Line]:
    """Rolling sampling with every order of unmasking."""
    return [Line(name, "rolling", unmasking=unmasking) for name, unmasking in orders(model).items()]


Restore = Callable[[Line, int, Audio], Audio]  # with these passes; float32 [samples] to the same, aligned


@dataclass(frozen=True)
class Point:
    """Mean scores over `items` recordings."""

    line: str
    passes: int
    items: int
    scores: Scores


class ScoreBook:
    """Scores by name, kept in a JSON file that is whole at any moment.

    `key` says of which weights and preset; scores under another one are kept, and not used.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        self._scores: dict[str, Scores] = {}
        if path.exists():
            try:
                self._scores = json.loads(path.read_text())
            except ValueError as error:
                raise DataError(f"{path} is damaged ({error}); remove it to measure again.") from error

    def get(self, name: str, measure: Callable[[], Scores]) -> Scores:
        """What was measured under this name, or else is now."""
        name = f"{self._key}: {name}"
        if name not in self._scores:
            self._scores[name] = measure()
            half = self._path.with_suffix(".partial")
            half.write_text(json.dumps(self._scores, indent=1))
            half.replace(self._path)
        return self._scores[name]


def measure_curve(
    folder: Path,
    lines: Sequence[Line],
    restore: Restore,
    book: ScoreBook,
    *,
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    judges: Sequence[Judge] | None = None,
) -> list[Point]:
    """Restore and judge at most `limit` recordings at every point of the curve.

    Raises:
        DataError: `folder` is no evaluation set, or knows the words of no recording.
        AudioFileError: one of its recordings cannot be read.
        MaskSRError: a judge is not installed.
    """
    items = [item for item in read_index(folder, None) if item.condition == "words"][:limit]
    if not items:
        raise DataError(f"{folder} has no recording of the condition 'words'; add some with their text.")
    judges = _load_judges() if judges is None else judges
    gathered: dict[tuple[Line, int], list[Scores]] = {}
    work = list(itertools.product(items, lines, PASSES))
    for done, (item, line, passes) in enumerate(work, 1):
        measure = partial(_score, folder, item, partial(restore, line, passes), judges)
        scores = book.get(f"{item.name}, {line.name}, passes {passes}", measure)
        gathered.setdefault((line, passes), []).append(scores)
        progress(done, len(work))
    return [_mean(line, passes, gathered[line, passes]) for line in lines for passes in PASSES]


def _load_judges() -> list[Judge]:
    judges, missing = load_judges(("DNSMOS", "ESTOI", "speaker", "WER"))
    if missing:
        raise MaskSRError(f"The curve lacks a judge: {missing[0]}.")
    return judges


def _score(folder: Path, item: Item, restore: Restorer, judges: Sequence[Judge]) -> Scores:
    noisy = read_recording(folder / f"{item.name}_noisy.flac")
    utterance = Utterance(read_recording(folder / f"{item.name}_clean.flac"), item.detail)
    restore(noisy[:SAMPLE_RATE_HZ])  # the first sound takes longer
    started_s = time.process_time()
    restored = restore(noisy)
    scores = {COMPUTE: (time.process_time() - started_s) * SAMPLE_RATE_HZ / len(noisy)}
    for judge in judges:
        scores |= judge.score(utterance, [restored])[0]
    return {name: value for name, value in scores.items() if name in FIGURES}


def _mean(line: Line, passes: int, scores: Sequence[Scores]) -> Point:
    known = [figure for figure in FIGURES if any(figure in of_item for of_item in scores)]
    means = {
        figure: float(np.mean([of_item[figure] for of_item in scores if figure in of_item]))
        for figure in known
    }
    return Point(line.name, passes, len(scores), means)


def to_json(points: Sequence[Point]) -> str:
    return json.dumps([asdict(point) for point in points], indent=2)


def to_table(points: Sequence[Point]) -> str:
    """A Markdown table, `-` where a score is absent."""
    rows = ["| sampling | passes | items | " + " | ".join(FIGURES) + " |", "|---" * (3 + len(FIGURES)) + "|"]
    for point in points:
        cells = [f"{point.scores[f]:.2f}" if f in point.scores else "-" for f in FIGURES]
        rows.append(f"| {point.line} | {point.passes} | {point.items} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def plot(points: Sequence[Point], path: Path) -> None:
    """Draw every figure against the passes of a hop."""
    import matplotlib.figure

    figure = matplotlib.figure.Figure(figsize=(15, 3.2), layout="constrained")
    names = dict.fromkeys(point.line for point in points)
    for axis, score in zip(figure.subplots(1, len(FIGURES)), FIGURES, strict=True):
        for name in names:
            known = [p for p in points if p.line == name and score in p.scores]
            axis.plot([p.passes for p in known], [p.scores[score] for p in known], "o-", label=name)
        axis.set_xscale("log", base=2)
        axis.set_xticks(PASSES, [str(passes) for passes in PASSES])
        axis.set_xlabel("passes a hop")
        axis.set_title(score)
    axis.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
