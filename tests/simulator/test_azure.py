"""OpenAI's own client for Azure is content with the simulator's deployments."""

import openai
import pytest

from ingather.testing import Simulator

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:openai")
KEY = "0123456789abcdef0123456789abcdef"
MESSAGES: list = [
    {"role": "user", "content": "We sell boats. Our office is in Oslo.\n\nWhere is the office?"}
]


def of(sim, key=KEY):
    return openai.AsyncAzureOpenAI(
        azure_endpoint=sim.base_url.removesuffix("/v1"),
        azure_deployment="my deployment",
        api_version="2024-10-21",
        api_key=key,
        max_retries=0,
    )


async def test_a_completion_of_a_deployment():
    async with Simulator(api_key=KEY) as sim, of(sim) as client:
        answer = await client.chat.completions.create(model="my deployment", messages=MESSAGES)
        assert answer.choices[0].message.content == "Our office is in Oslo."
        assert answer.model == sim.ledger[0].model == "my deployment"


async def test_the_newer_surface():
    async with Simulator(api_key=KEY) as sim:
        base_url = sim.base_url.removesuffix("/v1") + "/openai/v1"
        headers = {"api-key": KEY}
        async with openai.AsyncOpenAI(
            base_url=base_url, api_key="-", default_headers=headers
        ) as client:
            answer = await client.chat.completions.create(model="d", messages=MESSAGES)
    assert answer.choices[0].message.content == "Our office is in Oslo."


async def test_another_key_is_refused():
    async with Simulator(api_key=KEY) as sim, of(sim, "wrong") as client:
        with pytest.raises(openai.AuthenticationError, match="subscription key"):
            await client.chat.completions.create(model="d", messages=MESSAGES)


async def test_a_rate_limit_with_its_headers():
    async with Simulator(api_key=KEY, rpm=10, burst=1) as sim, of(sim) as client:
        await client.chat.completions.create(model="d", messages=MESSAGES)
        with pytest.raises(openai.RateLimitError, match=r"retry after \d seconds") as failure:
            await client.chat.completions.create(model="d", messages=MESSAGES)
    headers = failure.value.response.headers
    assert headers["x-ratelimit-reset-requests"] == "6"
    assert 5000 < float(headers["retry-after-ms"]) <= 6000
    assert headers["apim-request-id"]


@pytest.mark.parametrize(
    ("step", "error", "code"),
    [
        ("404", openai.NotFoundError, "DeploymentNotFound"),
        ("filtered", openai.BadRequestError, "content_filter"),
        ("401", openai.AuthenticationError, "401"),
        ("500", openai.InternalServerError, None),
    ],
)
async def test_each_fault_is_its_error(step, error, code):
    async with Simulator(api_key=KEY, script=[step]) as sim, of(sim) as client:
        with pytest.raises(error) as failure:
            await client.chat.completions.create(model="d", messages=MESSAGES)
    assert failure.value.code == code
