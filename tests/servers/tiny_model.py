"""Writes a language model of half a megabyte in GGUF: random weights, but biased towards short texts of finance words.

It answers nonsense, quickly, in ASCII, and obeys JSON schemas: all that a test of the machinery
asks of a model. The embedding's first dimension is the same for every token and passes through the
layers unchanged, so the first column of the output matrix acts as a bias for each token. By it,
quotes and brackets are likely (strings end soon) and raw bytes never come (answers are valid
UTF-8).
"""

import sys
from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np

WIDTH, LAYERS, HEADS, INNER = 64, 2, 4, 128
CONTEXT = 131_072
WORDS = "revenue growth risk margin product segment customer market supply cost net sales income cash debt strategy"
LIKELY = {
    '"': 6.0,
    "▁": -1.0,
    ",": 1.0,
    "]": 4.0,
    "}": 5.0,
    "{": 2.0,
    "[": 2.0,
    ":": 2.0,
    "\\": -30.0,
}
NEVER = -30.0
CONSTANT = 2.5  # the embedding's first dimension
TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


class Token(NamedTuple):
    text: bytes
    kind: gguf.TokenType
    bias: float


def vocabulary() -> list[Token]:
    """Special tokens, all bytes, all printable signs, and the words, alone and after a space (``▁``)."""
    normal = gguf.TokenType.NORMAL
    special = [
        Token(b"<unk>", gguf.TokenType.UNKNOWN, NEVER),
        Token(b"<s>", gguf.TokenType.CONTROL, NEVER),
        Token(b"</s>", gguf.TokenType.CONTROL, -2.0),
    ]
    raw = [Token(b"<0x%02X>" % byte, gguf.TokenType.BYTE, NEVER) for byte in range(256)]
    signs = ["▁", *map(chr, range(33, 127))]
    single = [
        Token(sign.encode(), normal, LIKELY.get(sign, 0.0 if sign.isalnum() else -4.0))
        for sign in signs
    ]
    words = [
        Token((before + word).encode(), normal, bias)
        for word in WORDS.split()
        for before, bias in (("▁", 3.5), ("", 2.5))
    ]
    return special + raw + single + words


def tensors(tokens: list[Token]) -> dict[str, np.ndarray]:
    """The weights, the same on every run."""
    random = np.random.default_rng(0)

    def normal(rows: int, columns: int, scale: float) -> np.ndarray:
        return (random.standard_normal((rows, columns)) * scale).astype(np.float32)

    # what a layer adds: nothing to the constant dimension
    def residual(columns: int) -> np.ndarray:
        weights = normal(WIDTH, columns, 0.05)
        weights[0] = 0
        return weights

    embedding, output = normal(len(tokens), WIDTH, 0.3), normal(len(tokens), WIDTH, 0.25)
    embedding[:, 0] = CONSTANT
    output[:, 0] = [token.bias / 5 for token in tokens]
    made = {"token_embd": embedding, "output": output, "output_norm": np.ones(WIDTH, np.float32)}
    for layer in range(LAYERS):
        made |= {
            f"blk.{layer}.{name}": weights
            for name, weights in {
                "attn_norm": np.ones(WIDTH, np.float32),
                "attn_q": normal(WIDTH, WIDTH, 0.1),
                "attn_k": normal(WIDTH, WIDTH, 0.1),
                "attn_v": normal(WIDTH, WIDTH, 0.1),
                "attn_output": residual(WIDTH),
                "ffn_norm": np.ones(WIDTH, np.float32),
                "ffn_gate": normal(INNER, WIDTH, 0.1),
                "ffn_up": normal(INNER, WIDTH, 0.1),
                "ffn_down": residual(INNER),
            }.items()
        }
    return made


def write_model(path: Path) -> Path:
    """Write the model to `path`, and give it back."""
    tokens = vocabulary()
    file = gguf.GGUFWriter(path, "llama")
    file.add_name("tiny-finance-words")
    file.add_file_type(gguf.LlamaFileType.ALL_F32)
    file.add_context_length(CONTEXT)
    file.add_embedding_length(WIDTH)
    file.add_block_count(LAYERS)
    file.add_feed_forward_length(INNER)
    file.add_head_count(HEADS)
    file.add_head_count_kv(HEADS)
    file.add_rope_dimension_count(WIDTH // HEADS)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_vocab_size(len(tokens))
    file.add_tokenizer_model("llama")
    file.add_token_list([token.text for token in tokens])
    file.add_token_types([token.kind for token in tokens])
    file.add_token_scores([-float(rank) for rank in range(len(tokens))])
    file.add_unk_token_id(0)
    file.add_bos_token_id(1)
    file.add_eos_token_id(2)
    file.add_chat_template(TEMPLATE)
    for name, weights in tensors(tokens).items():
        file.add_tensor(f"{name}.weight", weights)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


if __name__ == "__main__":
    print(write_model(Path(sys.argv[1])))
