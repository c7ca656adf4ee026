"""The mean of bundles is a bundle; only what was trained from one and the same has one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from main import main
from model.average import average
from model.bundle import Bundle
from model.errors import BundleError


@pytest.fixture
def bundles(tiny_bundle: Path) -> tuple[Bundle, Bundle]:
    """Two that differ in their language models alone."""
    bundle = Bundle.load(tiny_bundle)
    generator = torch.Generator().manual_seed(0)
    changed = {
        name: weight + torch.randn(weight.shape, generator=generator)
        for name, weight in bundle.language_model.items()
    }
    return bundle, replace(bundle, language_model=changed)


def test_each_weight_is_the_mean_of_those_of_all(bundles: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for bundle, folder in zip(bundles, folders, strict=True):
        bundle.save(folder)
    assert main(["bundle", "average", *map(str, folders), "--output", str(tmp_path / "mean")]) == 0
    mean = Bundle.load(tmp_path / "mean")
    assert mean.config == bundles[0].config
    torch.testing.assert_close(mean.codec, dict(bundles[0].codec))
    one, other = (bundle.language_model for bundle in bundles)
    for name, weight in mean.language_model.items():
        torch.testing.assert_close(weight, (one[name] + other[name]) / 2)


def test_other_codecs_have_no_mean(bundles: tuple[Bundle, Bundle]) -> None:
    one, other = bundles
    codec = {name: weight + 1 for name, weight in other.codec.items()}
    with pytest.raises(BundleError, match="differ"):
        average([one, replace(other, codec=codec)])


def test_other_shapes_have_no_mean(bundles: tuple[Bundle, Bundle]) -> None:
    one, other = bundles
    codec_alone = Bundle(other.config.model_copy(update={"language_model": None}), other.codec)
    with pytest.raises(BundleError, match="differ"):
        average([one, codec_alone])
