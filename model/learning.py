"""Quality against training audio seen, measured on the bundles that a training run keeps as it goes."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from model.errors import DataError
from model.evaluate import ALL_SPEECH, Row

FIGURES = ("OVRL", "MOS", "SIG", "BAK", "ESTOI", "PESQ", "LSD", "speaker", "WER")
_KEPT = "kept"


def keep_bundle(run: Path, audio_hours: float) -> None:
    """Keep the newest bundle of the folder `run`, after so much audio."""
    shutil.copytree(run / "bundle", run / _KEPT / f"{audio_hours:.2f}", dirs_exist_ok=True)


def kept_bundles(run: Path) -> dict[float, Path]:
    """Folders of the bundles that were kept, by hours of audio seen.

    Raises:
        DataError: there are none.
    """
    kept = {float(folder.name): folder for folder in (run / _KEPT).glob("*")}
    if not kept:
        raise DataError(f"{run} keeps no bundles; train with `keep_every_steps` in the configuration.")
    return dict(sorted(kept.items()))


def plot(rows: Sequence[Row], hours: dict[str, float], path: Path) -> None:
    """Draw the mean figures of all speech against `hours` of audio seen, by the systems' names.

    The level of any other system is a dotted line.
    """
    import matplotlib.figure

    means = {row.system: row.scores for row in rows if row.condition == ALL_SPEECH}
    names = [name for name in FIGURES if all(name in scores for scores in means.values())]
    figure = matplotlib.figure.Figure(figsize=(3 * len(names), 3.2), layout="constrained")
    for axis, name in zip(figure.subplots(1, len(names)), names, strict=True):
        axis.plot([*hours.values()], [means[system][name] for system in hours], "o-")
        for place, system in enumerate(sorted(means.keys() - hours.keys())):
            axis.axhline(means[system][name], linestyle=":", color=f"C{place + 1}", label=system)
        axis.set_xlabel("hours of audio seen")
        axis.set_title(name)
    axis.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
