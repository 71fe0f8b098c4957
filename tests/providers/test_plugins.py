"""Providers that other distributions bring, found as they are installed: by an entry point."""

from typing import Any

import pytest

from ingather import EchoProvider, Limits, LLMMessage, RetryConfig, connect, run_sync
from ingather.errors import SetupError

FACTORY = """
from ingather import LLMResponse

class Acme:
    def __init__(self, model, options):
        self.model, self.options = model, options

    async def complete(self, messages, config_overrides=None):
        return LLMResponse(f"{self.model}: {messages[-1].content}")

def connect(model, *, base_url="https://acme.example", **options):
    return Acme(model, {"base_url": base_url, **options})

def narrow(model):
    return Acme(model, {})

def nothing(model, **options):
    return None

class Text(str):
    pass

thing = 42
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """As pip does it: a module, and what a distribution says of itself, where Python looks."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name, target, distribution="acme-llm", code=FACTORY):
        module = target.partition(":")[0]
        (tmp_path / f"{module}.py").write_text(code)
        told = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        )
        (told / "entry_points.txt").write_text(f"[ingather.providers]\n{name} = {target}\n")

    return put


def test_a_plug_in_is_found_by_its_name(install):
    install("acme", "acme_llm_a:connect")
    provider = connect("acme/fast")
    assert run_sync(provider.complete([LLMMessage("user", "Hi")])).content == "fast: Hi"


def options_of(model, **options):
    provider: Any = connect(model, **options)
    return provider.options


def test_it_is_given_the_arguments_that_were_given_and_no_others(install):
    install("acme", "acme_llm_b:connect")
    assert options_of("acme/fast") == {"base_url": "https://acme.example"}
    limits = Limits(requests_per_minute=5)
    options = options_of(
        "acme/a/b",
        base_url="http://x",
        api_key="k",
        limits=limits,
        timeout=5.0,
        retry=None,
        region="eu",
    )
    assert options == {
        "base_url": "http://x",
        "api_key": "k",
        "limits": limits,
        "timeout": 5.0,
        "retry": None,
        "region": "eu",
    }
    assert connect("acme/a/b").model == "a/b"
    retry = RetryConfig(max_attempts=5)
    assert options_of("acme/fast", retry=retry)["retry"] == retry


@pytest.mark.parametrize("name", ["openai", "groq", "echo", "offline"])
def test_it_never_stands_in_for_one_of_ours(install, name):
    install(name, "acme_llm_c:nothing")
    if name == "echo":
        assert isinstance(connect("echo"), EchoProvider)
    else:
        made = connect(
            "offline/extractive" if name == "offline" else f"{name}/m",
            api_key=None if name == "offline" else "k",
        )
        assert type(made).__module__.startswith("ingather")


def test_options_that_it_does_not_take_are_said_before_anything_is_made(install):
    install("acme", "acme_llm_d:narrow")
    with pytest.raises(SetupError, match=r"the provider 'acme' cannot be made so: .*'base_url'"):
        connect("acme/fast", base_url="http://x")


@pytest.mark.parametrize("target", ["acme_llm_e:nothing", "acme_llm_e:Text"])
def test_what_is_no_provider_is_said(install, target):
    install("acme", target)
    with pytest.raises(SetupError, match=r"its factory gave .* no `async def complete"):
        connect("acme/fast")


def test_one_that_cannot_be_imported_names_its_distribution(install):
    install("acme", "acme_llm_f:connect", code="import no_such_module_at_all")
    with pytest.raises(SetupError, match=r"'acme' of acme-llm cannot be imported: ModuleNotFound"):
        connect("acme/fast")


def test_one_without_its_factory(install):
    install("acme", "acme_llm_g:missing")
    with pytest.raises(SetupError, match="'acme' of acme-llm cannot be imported: AttributeError"):
        connect("acme/fast")


def test_what_cannot_be_called_is_no_factory(install):
    install("acme", "acme_llm_h:thing")
    with pytest.raises(SetupError, match="of acme-llm is not a factory: acme_llm_h:thing"):
        connect("acme/fast")


def test_two_distributions_with_one_name_are_named_both(install):
    install("acme", "acme_llm_i:connect")
    install("acme", "acme_llm_j:connect", distribution="other-llm")
    with pytest.raises(SetupError, match="of acme-llm and other-llm: uninstall"):
        connect("acme/fast")


def test_a_slip_names_the_plug_ins_that_are_there(install):
    install("acme", "acme_llm_k:connect")
    with pytest.raises(SetupError, match="plug-ins here: acme/NAME"):
        connect("acmee/fast")


def test_what_its_factory_raises_goes_through(install):
    install(
        "acme", "acme_llm_l:connect", code="def connect(model):\n    raise KeyError('ACME_KEY')\n"
    )
    with pytest.raises(KeyError, match="ACME_KEY"):
        connect("acme/fast")
