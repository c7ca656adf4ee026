"""Sampling fills in what is not given, in the passes it was granted, and changes nothing else."""

import math

import pytest
import torch
from torch import Tensor, nn

from model.sampler import Draw, sample

CODEBOOKS, FRAMES, ENTRIES = 3, 10, 16
NOTHING_PINNED = torch.zeros(CODEBOOKS, FRAMES, dtype=torch.bool)
NEWEST_FREE = (torch.arange(FRAMES) < 6).expand(CODEBOOKS, -1)


class Predictor:
    """A random network with context, another condition for each item; keeps the tokens of every call."""

    def __init__(self, batch: int = 2, first_frame: int = 0) -> None:
        torch.manual_seed(0)
        self.embedding = nn.Embedding(ENTRIES + 1, 8).requires_grad_(False)
        self.mix = nn.Conv1d(CODEBOOKS * 8, CODEBOOKS * ENTRIES, 5, padding=2).requires_grad_(False)
        self.condition = torch.randn(batch, CODEBOOKS * ENTRIES, 1)
        self.first_frame = first_frame
        self.seen: list[Tensor] = []

    def __call__(self, tokens: Tensor) -> Tensor:
        self.seen.append(tokens)
        embedded = self.embedding(tokens).transpose(2, 3).flatten(1, 2)
        logits = 2 * self.mix(embedded) + self.condition
        return logits.unflatten(1, (CODEBOOKS, ENTRIES)).permute(0, 3, 1, 2)[:, self.first_frame :]


def given_tokens(batch: int = 2) -> Tensor:
    return torch.randint(ENTRIES, (batch, CODEBOOKS, FRAMES), generator=torch.Generator().manual_seed(1))


def fill(
    predictor: Predictor,
    passes: int = 4,
    pinned: Tensor = NOTHING_PINNED,
    temperature: float = 1.0,
    seeds: tuple[int, ...] = (0, 1),
    tokens: Tensor | None = None,
) -> Tensor:
    return sample(
        predictor,
        given_tokens(len(seeds)) if tokens is None else tokens,
        pinned,
        passes,
        Draw(ENTRIES, temperature, [torch.Generator().manual_seed(seed) for seed in seeds]),
    )


@pytest.mark.parametrize("passes", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("pinned", [NOTHING_PINNED, NEWEST_FREE], ids=["whole", "streamed"])
def test_masked_share_before_each_pass_follows_the_schedule(passes: int, pinned: Tensor) -> None:
    predictor = Predictor()
    fill(predictor, passes, pinned)
    unpinned = int((~pinned).sum())
    expected = [math.floor(unpinned * math.cos(math.pi / 2 * i / passes)) for i in range(passes)]
    assert [(tokens == ENTRIES).sum((1, 2)).tolist() for tokens in predictor.seen] == [
        [n, n] for n in expected
    ]


@pytest.mark.parametrize("passes", [1, 2, 7, 100])
def test_no_token_stays_masked(passes: int) -> None:
    tokens = fill(Predictor(), passes)
    assert tokens.shape == (2, CODEBOOKS, FRAMES)
    assert tokens.dtype == torch.int64
    assert ((tokens >= 0) & (tokens < ENTRIES)).all()


@pytest.mark.parametrize("seed", range(4))
def test_pinned_tokens_never_change(seed: int) -> None:
    predictor, given = Predictor(), given_tokens()
    pinned = torch.rand(CODEBOOKS, FRAMES, generator=torch.Generator().manual_seed(seed)) < 0.5
    result = fill(predictor, 5, pinned)
    assert all(torch.equal(tokens[:, pinned], given[:, pinned]) for tokens in [*predictor.seen, result])
    assert not torch.equal(result, given)


def test_everything_pinned_comes_back_as_it_was() -> None:
    assert torch.equal(fill(Predictor(), pinned=~NOTHING_PINNED), given_tokens())


def test_what_stands_where_nothing_is_pinned_is_ignored() -> None:
    other = torch.where(NEWEST_FREE, given_tokens(), 0)
    assert torch.equal(
        fill(Predictor(), pinned=NEWEST_FREE, tokens=other), fill(Predictor(), pinned=NEWEST_FREE)
    )


def test_a_token_once_decided_stays() -> None:
    predictor = Predictor()
    result = fill(predictor, 6)
    for earlier, later in zip(predictor.seen, [*predictor.seen[1:], result], strict=True):
        decided = earlier != ENTRIES
        assert torch.equal(later[decided], earlier[decided])


def test_coarse_codebooks_are_decided_first_and_the_surest_tokens_of_each() -> None:
    predictor = Predictor(batch=1)
    fill(predictor, 3, temperature=0.0, seeds=(0,))
    first, second, _ = predictor.seen
    decided = (second != ENTRIES)[0]
    assert decided.sum(1).tolist() == [5, 0, 0]
    surest = predictor(first)[0].softmax(-1).amax(-1).T[0]
    assert surest[decided[0]].min() >= surest[~decided[0]].max()


def test_the_pinned_past_may_be_left_out_of_the_prediction() -> None:
    whole, short = Predictor(), Predictor(first_frame=6)
    fast = fill(short, pinned=NEWEST_FREE, temperature=0.0)
    assert torch.equal(fast, fill(whole, pinned=NEWEST_FREE, temperature=0.0))
    assert all(torch.equal(a, b) for a, b in zip(short.seen, whole.seen, strict=True))


def test_one_pass_without_temperature_takes_the_likeliest_of_each() -> None:
    predictor = Predictor()
    result = fill(predictor, 1, temperature=0.0)
    assert torch.equal(result, predictor(predictor.seen[0]).argmax(-1).transpose(1, 2))


def test_equal_seeds_give_equal_results_and_others_differ() -> None:
    assert torch.equal(fill(Predictor(), seeds=(3, 4)), fill(Predictor(), seeds=(3, 4)))
    assert not torch.equal(fill(Predictor(), seeds=(3, 4)), fill(Predictor(), seeds=(5, 6)))


def test_without_temperature_the_seed_does_not_matter() -> None:
    one, other = (fill(Predictor(), temperature=0.0, seeds=seeds) for seeds in ((0, 1), (2, 3)))
    assert torch.equal(one, other)


def test_the_order_of_a_batch_does_not_matter() -> None:
    batch, order = Predictor(batch=4), torch.tensor([2, 0, 3, 1])
    result = fill(batch, pinned=NEWEST_FREE, seeds=(0, 1, 2, 3))
    batch.condition = batch.condition[order]
    permuted = fill(batch, pinned=NEWEST_FREE, seeds=(2, 0, 3, 1), tokens=given_tokens(4)[order])
    assert torch.equal(permuted, result[order])
    assert not torch.equal(permuted, result)


def test_an_item_comes_out_of_a_batch_as_it_does_alone() -> None:
    batch = Predictor()
    result = fill(batch)
    batch.condition = batch.condition[1:]
    alone = fill(batch, seeds=(1,), tokens=given_tokens()[1:])
    assert torch.equal(alone, result[1:])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_predicted_distribution(temperature: float) -> None:
    logits = torch.tensor([1.0, 0.0, -1.0, 2.0])
    places = logits.expand(1, 20_000, 1, 4)
    masked = torch.full((1, 1, 20_000), 4)
    tokens, _ = Draw(4, temperature, [torch.Generator().manual_seed(0)]).fill(masked, places)
    shares = torch.bincount(tokens.flatten(), minlength=4) / tokens.numel()
    torch.testing.assert_close(shares, (logits / temperature).softmax(0), atol=0.015, rtol=0)
