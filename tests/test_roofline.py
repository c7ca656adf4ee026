"""Work is counted as it is done, whichever kernels do it, and bounds the time that it takes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from model.codec import Codec, build_dac
from model.masksr import MaskSR
from model.packed_convolution import PackedResidual
from model.packed_linear import GeluLinear, PackedLinear
from model.plan import FRAME_SAMPLES, WindowPlan
from model.roofline import Speed, Work, measure_speed
from tests.codecs import small_codec
from tests.signals import noise


def work_of(function: Callable[[], object]) -> Work:
    with torch.no_grad(), Work() as work:
        function()
    return work


def test_a_matrix_product_reads_both_and_writes_one() -> None:
    a, b = torch.ones(3, 4), torch.ones(4, 5)
    work = work_of(lambda: a @ b)
    assert (work.operations, work.moved_bytes) == (2 * 3 * 4 * 5, 4 * (3 * 4 + 4 * 5 + 3 * 5))


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="no oneDNN")
@pytest.mark.parametrize("kind", [nn.Linear, GeluLinear])
def test_packed_layers_count_as_plain_ones(kind: type[nn.Linear]) -> None:
    x, plain = torch.ones(1, 7, 32), kind(32, 64)
    packed = PackedLinear(plain)
    assert work_of(lambda: packed(x)).operations == work_of(lambda: plain(x)).operations == 2 * 7 * 32 * 64


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="no oneDNN")
def test_packed_residuals_count_as_their_convolutions() -> None:
    image, plain = torch.ones(1, 16, 9, 32), nn.Conv2d(16, 16, (3, 5), padding=(1, 2))
    packed = PackedResidual(plain)
    image = image.to(memory_format=torch.channels_last)
    assert work_of(lambda: packed(image)).operations == work_of(lambda: plain(image)).operations


def test_a_codec_counts_as_the_stock_class() -> None:
    torch.manual_seed(0)
    config = small_codec(codebooks=3)
    stock, codec = build_dac(config).eval(), Codec(build_dac(config), torch.float32)
    audio = torch.ones(1, 20 * FRAME_SAMPLES)
    tokens = codec.encode(audio)
    latents = stock.quantizer.from_codes(tokens)[0]
    assert work_of(lambda: codec.latents(audio)).operations == pytest.approx(
        work_of(lambda: stock.encoder(audio[:, None])).operations
    )
    assert work_of(lambda: codec.decode(tokens)).operations == pytest.approx(
        work_of(lambda: stock.decode(latents)).operations
    )


def test_the_floor_is_that_of_what_takes_longer() -> None:
    work = Work()
    work.moved_bytes, work.operations = 6, 10
    assert work.least_seconds(Speed(bytes_per_second=2.0, operations_per_second=5.0)) == 3.0
    assert work.least_seconds(Speed(bytes_per_second=6.0, operations_per_second=5.0)) == 2.0


def test_a_machine_moves_and_computes_more_than_nothing_and_less_than_any_can() -> None:
    speed = measure_speed(torch.device("cpu"), torch.float32)
    assert 1e7 < speed.bytes_per_second < 1e13
    assert 1e7 < speed.operations_per_second < 1e15


def test_decoding_a_hop_is_the_same_work_after_any_context(
    model: MaskSR, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, counted = model.codec.decode, []

    def counting_decode(tokens: Tensor, start_frame: int, stop_frame: int) -> Tensor:
        with Work() as work:
            audio = decode(tokens, start_frame, stop_frame)
        counted.append((work.operations, work.moved_bytes))
        return audio

    monkeypatch.setattr(model.codec, "decode", counting_decode)
    for context_frames in (16, 64, 256):
        plan = WindowPlan(context_frames, hop_frames=8, lookahead_frames=4, fade_samples=441)
        model.stream(plan, passes=1, temperature=0.0).restore_window(noise(plan.window_samples))
    assert len(counted) == 3
    assert len(set(counted)) == 1
