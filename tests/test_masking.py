"""Training hides what sampling will: by the cosine schedule, in the newest frames, fine codebooks first."""

import math

import pytest
import torch
from torch import Tensor

from model.masking import draw_mask

BATCH, FRAMES = 1000, 60
SHAPE = torch.Size((BATCH, 9, FRAMES))
NO_STREAM = (FRAMES, FRAMES)


def masks(newest_frames: tuple[int, int], seed: int = 0) -> Tensor:
    return draw_mask(SHAPE, newest_frames, torch.Generator().manual_seed(seed))


def test_share_masked_follows_the_cosine() -> None:
    shares = masks(NO_STREAM).float().mean((1, 2)).sort().values
    expected = torch.cos(math.pi / 2 * torch.linspace(1, 0, BATCH))
    assert shares.mean() == pytest.approx(2 / math.pi, abs=0.02)
    assert (shares - expected).abs().max() < 0.06


def test_half_the_examples_keep_everything_before_the_newest_frames() -> None:
    drawn = masks((5, 10))
    streamed = ~drawn[:, :, :-10].any(2).any(1)
    assert streamed.float().mean() == pytest.approx(0.5, abs=0.06)
    assert drawn[~streamed].float().mean((0, 1)).std() < 0.05


def test_the_number_of_newest_frames_covers_its_range() -> None:
    drawn = masks((5, 8))
    streamed = drawn[~drawn[:, :, :-8].any(2).any(1)]
    nearly_all_hidden = streamed[streamed[:, :, -5:].float().mean((1, 2)) > 0.8]
    newest = nearly_all_hidden.any(1).sum(1)
    assert newest.unique().tolist() == [5, 6, 7, 8]
    assert torch.bincount(newest)[5:].min() > len(newest) / 8


def test_half_the_examples_hide_the_finer_codebooks_first() -> None:
    shares = masks(NO_STREAM).float().mean(2)
    shares = shares[(shares.mean(1) > 0.02) & (shares.mean(1) < 0.98)]  # elsewhere nobody can tell
    by_level = ((shares > 0) & (shares < 1)).sum(1) <= 1
    assert by_level.float().mean() == pytest.approx(0.5, abs=0.06)
    assert (shares[by_level].diff(dim=1) >= 0).all()
    assert shares[~by_level].mean(0).std() < 0.05


def test_masks_are_reproducible() -> None:
    assert torch.equal(masks((5, 10), seed=1), masks((5, 10), seed=1))
    assert not torch.equal(masks((5, 10), seed=1), masks((5, 10), seed=2))
