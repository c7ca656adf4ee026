"""Codebooks come near to what they are fitted to, and searching finds the sums that come nearest."""

import pytest
import torch
from torch import Tensor

from model.codebooks import Codebook, audibility, cluster, fit, refit, search, total


@pytest.fixture
def points() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(600, 6) @ torch.randn(6, 6)


def tokens_of(points: Tensor, codebooks: list[Codebook], width: int) -> Tensor:
    return search(points, codebooks, width, torch.ones_like(points))


def error(points: Tensor, codebooks: list[Codebook], tokens: Tensor) -> float:
    return float((points - total(codebooks, tokens)).square().mean())


def test_a_search_as_wide_as_two_codebooks_finds_the_nearest_sum(points: Tensor) -> None:
    codebooks = fit(points, 2, 16, 4)
    first, second = tokens_of(points, codebooks, 16)
    sums = (codebooks[0].vectors[:, None] + codebooks[1].vectors).flatten(0, 1)
    assert torch.equal(first * 16 + second, torch.cdist(points, sums).argmin(1))


def test_the_narrowest_search_takes_the_nearest_entry_of_each_codebook(points: Tensor) -> None:
    codebooks = fit(points, 3, 16, 6)
    left = points
    for codebook, chosen in zip(codebooks, tokens_of(points, codebooks, 1), strict=True):
        assert torch.equal(chosen, torch.cdist(left, codebook.vectors).argmin(1))
        left = left - codebook.vectors[chosen]


def test_wider_searches_and_rounds_of_fitting_come_nearer(points: Tensor) -> None:
    codebooks = fit(points, 4, 16, 4)
    narrow, wide = tokens_of(points, codebooks, 1), tokens_of(points, codebooks, 8)
    assert error(points, codebooks, wide) < 0.95 * error(points, codebooks, narrow)
    refitted = refit(points, codebooks, wide, torch.ones_like(points))
    assert error(points, refitted, wide) < 0.95 * error(points, codebooks, wide)
    assert [len(codebook.directions) for codebook in refitted] == [4] * 4


def test_entries_that_nobody_chose_stay(points: Tensor) -> None:
    codebooks = fit(points, 1, 16, 6)
    unused = torch.ones(16, dtype=torch.bool)
    tokens = tokens_of(points[:8], codebooks, 1)
    unused[tokens[0]] = False
    before, after = codebooks[0].vectors, refit(points[:8], codebooks, tokens, torch.ones(8, 6))[0].vectors
    torch.testing.assert_close(after[unused], before[unused], rtol=1e-4, atol=1e-4)


def test_what_counts_more_is_met_more_closely(points: Tensor) -> None:
    weights = torch.tensor([10.0, 10.0, 10.0, 0.1, 0.1, 0.1]).expand_as(points)
    codebooks = fit(points, 4, 16, 4)
    errors = []
    for counted in (torch.ones_like(points), weights):
        tokens = search(points, codebooks, 4, counted)
        refitted = refit(points, codebooks, tokens, counted)
        errors.append((points - total(refitted, tokens)).square().mean(0).view(2, 3).sum(1))
    assert errors[1][0] < 0.8 * errors[0][0]
    assert errors[1][1] > errors[0][1]


def test_an_error_is_heard_less_the_louder_the_channels_around_it_are() -> None:
    latents = torch.full((2, 40), 0.1)
    latents[1, 10] = 3.0
    even, peaked = audibility(latents)
    torch.testing.assert_close(even, torch.ones(40))
    assert (peaked[8:13] < 0.3 * peaked[20]).all()
    assert peaked.mean().item() == pytest.approx(1.0)
    torch.testing.assert_close(audibility(torch.zeros(1, 40)), torch.ones(1, 40))


def test_clusters_spread_over_sounds_although_most_points_are_silent() -> None:
    torch.manual_seed(0)
    points = torch.cat([torch.zeros(2000, 3), torch.randn(500, 3)])
    centres = cluster(points, 32)
    assert centres.shape == (32, 3)
    assert torch.cdist(points, centres).amin(1).square().mean() < 0.2 * points.square().sum(1).mean()
