"""All components of a real Item 1 asked of llama.cpp's own server: every answer is valid, and the text is read once."""

import asyncio
import json
from urllib.request import Request, urlopen

import pytest

from ingather import ParallelLLMExecutor, connect
from tenk import BusinessAnalysisSection, BusinessAnalyzer, open_submission
from tests.servers.llama import serving


def tokens_in(text, url):
    """As the server counts them."""
    body = json.dumps({"content": text}).encode()
    with urlopen(
        Request(url.removesuffix("/v1") + "/tokenize", body, {"Content-Type": "application/json"})
    ) as answer:
        return len(json.load(answer)["tokens"])


@pytest.mark.slow
async def test_every_component_is_valid_and_the_text_comes_from_the_servers_cache(filings):
    text = open_submission(filings / "reac-2015.htm").filing.item("1").body
    with serving("--parallel", "1", "--context", "32768") as url:
        provider = connect("openai/tiny", base_url=url, temperature=0)
        executor = ParallelLLMExecutor(provider, max_concurrency=1)
        [result] = await executor.gather([BusinessAnalyzer().task(text)])
        length = await asyncio.to_thread(tokens_in, text, url)
    assert isinstance(result.unwrap(), BusinessAnalysisSection)
    assert result.missing == ()
    assert {part.origin for part in result.parts.values()} == {"part"}
    first, *others = sorted(result.parts.values(), key=lambda part: part.usage.cached_tokens)
    assert first.usage.cached_tokens < 0.1 * first.usage.input_tokens
    for part in others:
        # what is new is the question, with its schema in words
        assert part.usage.cached_tokens > 0.98 * length
