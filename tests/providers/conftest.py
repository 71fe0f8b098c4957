import pytest

from ingather.providers.presets import PRESETS
from tests.providers import peers


@pytest.fixture(scope="session", params=peers.PEERS)
def peer(request):
    """Each server and dialect in turn that the contract is kept with."""
    with peers.PEERS[request.param]() as peer:
        yield peer


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    """Neither proxies nor keys of the machine that runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for dialect in ("OPENAI", "OLLAMA", "ANTHROPIC", "GEMINI", "GOOGLE"):
        monkeypatch.delenv(f"{dialect}_API_KEY", raising=False)
        monkeypatch.delenv(f"{dialect}_BASE_URL", raising=False)
    for name, preset in PRESETS.items():
        for variable in (*preset.keys, f"{name.upper()}_BASE_URL"):
            monkeypatch.delenv(variable, raising=False)
    for name in (
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_ENDPOINT",
        "OPENAI_API_VERSION",
        "OLLAMA_HOST",
    ):
        monkeypatch.delenv(name, raising=False)
