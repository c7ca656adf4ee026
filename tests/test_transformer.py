"""The transformer hears the same in training as it does afterwards, in fewer steps."""

import torch

from model.transformer import Block, Transformer


def test_it_computes_the_same_in_training_as_afterwards() -> None:
    torch.manual_seed(0)
    transformer = Transformer(width=32, layers=2, heads=2, feed_forward=64)
    for parameter in transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    frames = torch.randn(2, 20, 32)
    trained = transformer(frames, first_frame=5)
    with torch.inference_mode():
        torch.testing.assert_close(transformer(frames, first_frame=5), trained)
        transformer.merge_norms()
        torch.testing.assert_close(transformer(frames, first_frame=5), trained)


@torch.inference_mode()
def test_merged_norms_bear_silence() -> None:
    transformer = Transformer(width=32, layers=1, heads=2, feed_forward=64)
    transformer.merge_norms()
    assert not transformer(torch.zeros(1, 20, 32)).any()


def test_what_flows_between_blocks_is_exact() -> None:
    frames = torch.full((1, 4, 32), 1 + 2**-7).bfloat16()
    transformer = Transformer(width=32, layers=2, heads=2, feed_forward=64)
    block = transformer.blocks[0]
    assert isinstance(block, Block)
    torch.nn.init.constant_(block.contract.bias, 2**-9)  # too little for bfloat16
    assert (transformer(frames) == frames.float() + 2**-9).all()


@torch.inference_mode()
def test_blocks_that_add_nothing_are_left_out_unheard() -> None:
    torch.manual_seed(0)
    transformer, frames = Transformer(width=32, layers=3, heads=2, feed_forward=64), torch.randn(2, 20, 32)
    busy = transformer.blocks[1]
    assert isinstance(busy, Block)
    torch.nn.init.normal_(busy.output.weight, std=0.2)
    before = transformer(frames, first_frame=5)
    transformer.leave_out_idle()
    assert list(transformer.blocks) == [busy]
    torch.testing.assert_close(transformer(frames, first_frame=5), before)
    torch.nn.init.zeros_(busy.output.weight)
    transformer.leave_out_idle()
    torch.testing.assert_close(transformer(frames, first_frame=5), frames[:, 5:])
