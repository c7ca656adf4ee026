"""The mean of bundles is a bundle; only what was trained from one and the same has one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from main import main
from model.average import average
from model.bundle import Bundle, Tensors
from model.errors import BundleError


@pytest.fixture
def bundles(tiny_bundle: Path) -> tuple[Bundle, Bundle]:
    """Two that differ in their language models and in the decoders of their codecs."""
    bundle = Bundle.load(tiny_bundle)
    generator = torch.Generator().manual_seed(0)

    def changed(weights: Tensors, begin: str) -> Tensors:
        return {
            name: weight + name.startswith(begin) * torch.randn(weight.shape, generator=generator)
            for name, weight in weights.items()
        }

    return bundle, Bundle(
        bundle.config, changed(bundle.codec, "decoder."), changed(bundle.language_model, "")
    )


def test_each_weight_is_the_mean_of_those_of_all(bundles: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for bundle, folder in zip(bundles, folders, strict=True):
        bundle.save(folder)
    assert main(["bundle", "average", *map(str, folders), "--output", str(tmp_path / "mean")]) == 0
    mean = Bundle.load(tmp_path / "mean")
    assert mean.config == bundles[0].config
    for part in ("codec", "language_model"):
        one, other = (getattr(bundle, part) for bundle in bundles)
        for name, weight in getattr(mean, part).items():
            torch.testing.assert_close(weight, (one[name] + other[name]) / 2)


def test_other_tokens_have_no_mean(bundles: tuple[Bundle, Bundle]) -> None:
    one, other = bundles
    codec = {name: weight + name.startswith("encoder.") for name, weight in other.codec.items()}
    with pytest.raises(BundleError, match="differ"):
        average([one, replace(other, codec=codec)])


def test_other_shapes_have_no_mean(bundles: tuple[Bundle, Bundle]) -> None:
    one, other = bundles
    codec_alone = Bundle(other.config.model_copy(update={"language_model": None}), other.codec)
    with pytest.raises(BundleError, match="differ"):
        average([one, codec_alone])
