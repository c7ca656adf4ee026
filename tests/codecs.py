"""Codecs small enough for tests."""

from model.codec import CodecConfig


def small_codec(codebooks: int, codebook_size: int = 16) -> CodecConfig:
    """8 latent channels."""
    return CodecConfig(
        encoder_dim=4,
        encoder_rates=(8, 8, 8),
        latent_dim=8,
        decoder_dim=16,
        decoder_rates=(8, 8, 8),
        n_codebooks=codebooks,
        codebook_size=codebook_size,
    )


def banded_codec(codebook_size: int) -> CodecConfig:
    """Four codebooks, and 32 latent channels: room for the 32 lowest bands of a transform codec."""
    wider = {"latent_dim": 32, "decoder_dim": 32, "n_codebooks": 4, "codebook_size": codebook_size}
    return small_codec(4).model_copy(update=wider)
