"""The listeners agree with the packages that their weights are from, and can be learned from."""

import warnings

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from model.judges import JUDGE_RATE_HZ, DistillMos, Utterance, at_judge_rate
from model.level import REFERENCE_RMS
from model.listener import Listener
from model.listeners import opinion_loss
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.second_listener import SecondListener
from realtime.demo import SAMPLE

SAMPLES = 96 * FRAME_SAMPLES


@pytest.fixture(scope="module", params=[Listener, SecondListener])
def listener(request: pytest.FixtureRequest) -> nn.Module:
    listener: nn.Module = request.param()
    return listener


@pytest.fixture(scope="module")
def speech() -> Tensor:
    recording, _ = soundfile.read(SAMPLE.with_name("clean_speech.flac"), dtype="float32")
    audio = torch.from_numpy(recording)[None]
    return audio / audio.square().mean().sqrt() * REFERENCE_RMS


def noise_like(speech: Tensor) -> Tensor:
    return REFERENCE_RMS * torch.randn(speech.shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("noise_level", [0.0, 0.1, 1.0])
def test_the_first_agrees_with_its_package(speech: Tensor, noise_level: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dnsmos = pytest.importorskip("speechmos.dnsmos")
    audio = np.resize((speech + noise_level * noise_like(speech)).numpy(), round(9.01 * SAMPLE_RATE_HZ))
    theirs = dnsmos.run(at_judge_rate(audio), sr=JUDGE_RATE_HZ)["p808_mos"]
    assert Listener()(torch.from_numpy(audio)[None]).item() == pytest.approx(theirs, abs=0.15)


@pytest.mark.parametrize("noise_level", [0.0, 0.1, 1.0])
def test_the_second_agrees_with_its_package(speech: Tensor, noise_level: float) -> None:
    audio = (speech + noise_level * noise_like(speech))[:, : 7 * SAMPLE_RATE_HZ]
    (theirs,) = DistillMos().score(Utterance(audio[0].numpy()), [audio[0].numpy()])
    assert SecondListener()(audio).item() == pytest.approx(theirs["MOS"], abs=0.15)


@pytest.mark.parametrize(("clips", "recordings"), [(1, 1), (3, 3), (6, 3), (8, 2)])
def test_the_second_hears_up_to_four_clips_as_one_recording(
    speech: Tensor, clips: int, recordings: int
) -> None:
    batch = speech[:, : clips * SAMPLES // 2].view(clips, -1)
    assert SecondListener()(batch).shape == (recordings,)


def test_nothing_lacks_but_from_speech(listener: nn.Module, speech: Tensor) -> None:
    clean = speech[:, SAMPLE_RATE_HZ:][:, :SAMPLES]
    noisy = clean + 0.3 * noise_like(clean)
    assert opinion_loss(listener, clean, clean).item() == 0.0
    assert opinion_loss(listener, clean, noisy).item() == 0.0
    assert opinion_loss(listener, noisy, torch.zeros_like(clean)).item() == 0.0
    assert opinion_loss(listener, noisy, clean).item() > 0.5


def test_how_loud_it_is_makes_no_difference(listener: nn.Module, speech: Tensor) -> None:
    clip = speech[:, : 3 * SAMPLE_RATE_HZ]
    loud, soft = torch.cat([listener(clip), listener(0.3 * clip)])
    assert loud.item() == pytest.approx(soft.item(), abs=0.02)


def test_a_mask_learns_to_please(listener: nn.Module, speech: Tensor) -> None:
    clean = speech[:, SAMPLE_RATE_HZ:][:, :SAMPLES]
    noisy = clean + 0.3 * noise_like(clean)
    spectrum = torch.stft(noisy, 1024, 256, window=torch.hann_window(1024), return_complex=True)
    gain = torch.zeros(spectrum.shape, requires_grad=True)
    optimizer = torch.optim.Adam([gain], 0.3)
    losses = []
    for _ in range(20):
        masked = torch.istft(spectrum * gain.sigmoid(), 1024, 256, window=torch.hann_window(1024))
        optimizer.zero_grad()
        (loss := opinion_loss(listener, masked, clean[:, : masked.shape[1]])).backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
