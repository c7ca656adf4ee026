"""An example is the same whenever its number comes up, and its parts belong to the same moment and level."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model.codec import Codec, build_dac
from model.data import Corpus
from model.degrade import DegradeConfig, Degrader
from model.examples import Batch, Denoise, Examples
from model.level import REFERENCE_RMS
from model.plan import FRAME_SAMPLES
from tests.codecs import small_codec
from tests.recordings import prepared

CODEC = small_codec(codebooks=2)
FRAMES = 32
CPU = torch.device("cpu")
NUMBERS = [5, 0, 3, 8]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(prepared(tmp_path_factory.mktemp("examples")))


@pytest.fixture(scope="module")
def codec() -> Codec:
    torch.manual_seed(0)
    return Codec(build_dac(CODEC), torch.float32)


def examples(corpus: Corpus, codec: Codec, config: DegradeConfig | None = None) -> Examples:
    degrader = Degrader([corpus.samples(clip) for clip in corpus.noise], config=config or DegradeConfig())
    return Examples(corpus, degrader, codec, FRAMES, seed=1)


def drawn(examples: Examples, numbers: list[int]) -> Batch:
    return examples.batch(examples.draw(numbers), CPU)


def test_a_batch_has_the_shapes_it_says(corpus: Corpus, codec: Codec) -> None:
    batch = drawn(examples(corpus, codec), NUMBERS)
    assert batch.noisy.shape == batch.target.shape == (4, FRAMES * FRAME_SAMPLES)
    assert batch.target_latents.shape == (4, 8, FRAMES)
    assert batch.tokens.shape == (4, 2, FRAMES)
    assert batch.tokens.dtype == torch.int64
    assert batch.bands_hz.shape == (4,)


def test_a_number_always_gives_the_same_example(corpus: Corpus, codec: Codec) -> None:
    first = examples(corpus, codec)
    batch, again = drawn(first, NUMBERS), drawn(first, NUMBERS[::-1])
    fresh = drawn(examples(corpus, codec), [3])
    for name, value in vars(batch).items():
        assert torch.equal(vars(again)[name].flip(0), value), name
        torch.testing.assert_close(vars(fresh)[name][0], value[2], msg=name)
    assert not torch.equal(batch.noisy[0], batch.noisy[1])


def test_a_denoiser_is_heard_where_it_comes_nearer(corpus: Corpus, codec: Codec) -> None:
    config = DegradeConfig(p_nothing=0.0, p_noise_only=0.0, p_noise=1.0, snr_db=(-20.0, -3.0, 10.0))
    degrader = Degrader([corpus.samples(clip) for clip in corpus.noise], config=config)

    def denoised(denoise: Denoise | None) -> tuple[Tensor, Tensor]:
        drawn = Examples(corpus, degrader, codec, FRAMES, 1, denoise).draw(list(range(12)))
        return drawn.denoised_windows(CPU), drawn.windows(CPU)[1]

    for useless in (None, lambda noisy: noisy):
        torch.testing.assert_close(*denoised(useless))
    silent, targets = denoised(np.zeros_like)
    nearer = (silent == 0).all(1)
    assert 2 < nearer.sum() < 10
    torch.testing.assert_close(silent[~nearer], targets[~nearer])


def test_targets_are_heard_in_their_true_surroundings(corpus: Corpus, codec: Codec) -> None:
    batch = drawn(examples(corpus, codec, DegradeConfig(p_nothing=1.0)), NUMBERS)
    torch.testing.assert_close(batch.noisy, batch.target)
    alone = codec.latents(batch.target)
    inner, edge = slice(8, -8), slice(0, 2)
    torch.testing.assert_close(alone[:, :, inner], batch.target_latents[:, :, inner], atol=1e-4, rtol=1e-2)
    assert (alone - batch.target_latents)[:, :, edge].abs().max() > 1e-3
    assert torch.equal(batch.tokens[:, :, inner], codec.encode(batch.target)[:, :, inner])


def test_windows_may_have_any_length(corpus: Corpus, codec: Codec) -> None:
    odd = Examples(corpus, Degrader([], config=DegradeConfig(p_nothing=1.0)), codec, frames=21, seed=1)
    assert drawn(odd, NUMBERS).tokens.shape == (4, 2, 21)


def test_windows_come_at_the_level_that_the_stream_gives_the_model(corpus: Corpus, codec: Codec) -> None:
    batch = drawn(examples(corpus, codec), list(range(24)))
    blocks = batch.noisy.view(24, -1, 16 * FRAME_SAMPLES)
    loudest_db = 20 * torch.log10(blocks.square().mean(2).sqrt().amax(1) / REFERENCE_RMS)
    assert (loudest_db < 2.1).all()
    assert -6 < loudest_db.median() < 0


def test_some_windows_begin_or_end_as_a_stream_does(corpus: Corpus, codec: Codec) -> None:
    batch = drawn(examples(corpus, codec, DegradeConfig(p_nothing=0.0, p_noise=1.0)), list(range(60)))
    sounds = batch.noisy.view(60, FRAMES, -1).any(2)
    assert 2 <= (~sounds[:, 0]).sum() <= 20
    assert 2 <= (~sounds[:, -1]).sum() <= 15
    for window, target in zip(sounds, batch.target.view(60, FRAMES, -1), strict=True):
        assert window.int().diff().abs().sum() <= 2  # nothing is silent but beginning and end
        assert not target[~window].any()
