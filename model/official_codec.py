"""The published DAC weights as the codec of a bundle: `python main.py bundle import-dac`."""

import pickle
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from model.bundle import Bundle, BundleConfig, check_shapes
from model.codec import CodecConfig, build_dac, import_dac
from model.errors import BundleError
from model.plan import SAMPLE_RATE_HZ

TRAINING_ONLY = {"quantizer_dropout", "sample_rate"}  # arguments of dac.DAC that a bundle does not record


def import_official_codec(weights: Path | None, output: Path) -> Bundle:
    """Make the new bundle folder `output` out of a weights file in DAC's own format.

    Without `weights`, the official 44.1 kHz file is downloaded into the cache that the `dac` package keeps.
    Raises BundleError if the file is missing, damaged or not a 44.1 kHz DAC, or if `output` is in use.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise BundleError(f"{output} exists already: name a new folder for the bundle.")
    bundle = read_official_codec(weights or _download())
    bundle.save(output)
    return bundle


def read_official_codec(weights: Path) -> Bundle:
    """Read what `dac.DAC.save(..., package=False)` wrote; only tensors and plain values are unpickled."""
    saved = _read_pickle(weights)
    try:
        tensors = {name: torch.as_tensor(value) for name, value in saved["state_dict"].items()}
        arguments = saved["metadata"]["kwargs"]
        sample_rate_hz = arguments["sample_rate"]
        config = CodecConfig.model_validate({k: v for k, v in arguments.items() if k not in TRAINING_ONLY})
    except (KeyError, TypeError, AttributeError, RuntimeError, ValidationError) as error:
        raise BundleError(
            f"{weights} holds no weights of a DAC with 512-sample frames: choose another file."
        ) from error
    if sample_rate_hz != SAMPLE_RATE_HZ:
        raise BundleError(f"{weights} is a codec for {sample_rate_hz} Hz: choose the 44.1 kHz weights.")
    with torch.device("meta"):
        check_shapes(tensors, build_dac(config).state_dict(), weights)
    return Bundle(BundleConfig(codec=config), tensors)


def _read_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise BundleError(f"{path} does not exist: name the weights file to import.") from None
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise BundleError(f"{path} is damaged or holds more than weights: download it again.") from error


def _download() -> Path:
    try:
        return Path(import_dac().utils.download(model_type="44khz"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"The official codec weights cannot be downloaded ({error}): fetch weights.pth of release 0.0.1"
            " of descript-audio-codec by other means and name it with --weights."
        ) from error
