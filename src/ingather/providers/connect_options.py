"""The keyword arguments of `connect`: what is a parameter of requests, and what is an argument by another tool's name.

The latter would otherwise be sent to the server, with ``apikey`` the key itself.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ingather.errors import SetupError
from ingather.task_params import KNOWN, warn_of_typos

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN = (
    "api", "api_key", "api_version", "base_url", "ca", "headers", "limits", "model", "retry", "schema_mode", "timeout",
)  # fmt: skip
_MEANT: dict[str, str] = {
    name: ours
    for ours, names in {
        "api_key=": "key apikey token auth auth_token access_token bearer bearer_token openai_api_key "
        "anthropic_api_key azure_api_key google_api_key gemini_api_key groq_api_key api_token credentials password",
        "base_url=": "url host hostname server server_url endpoint api_base api_url api_endpoint api_host base baseurl "
        "openai_api_base azure_endpoint port address uri",
        "timeout= (seconds for each attempt)": "timeout_s timeout_seconds timeout_sec timeout_ms request_timeout "
        "read_timeout connect_timeout default_timeout timeouts",
        "retry=RetryConfig(max_attempts=…)": "max_retries retries num_retries max_attempts retry_config max_retry "
        "attempts retry_delay backoff retry_policy",
        "limits=Limits(requests_per_minute=…)": "rpm requests_per_minute rate_limit rps requests_per_second max_rpm "
        "max_requests_per_minute rate_limits requests_per_day rpd",
        "limits=Limits(tokens_per_minute=…)": "tpm tokens_per_minute max_tpm max_tokens_per_minute tpd",
        "limits=Limits(max_concurrency=…), or ParallelLLMExecutor(…, max_concurrency=…)": "max_concurrency concurrency "
        "max_parallel max_workers num_workers max_connections parallelism max_concurrent_requests max_in_flight",
        'headers={"OpenAI-Organization": …}': "organization organization_id org org_id openai_organization",
        'headers={"OpenAI-Project": …}': "project project_id openai_project",
        "headers=": "header default_headers extra_headers http_headers custom_headers",
        "ca=PATH, the certificates to trust (they are always checked)": "verify verify_ssl ssl_verify ssl tls cert "
        "certs ca_bundle ca_cert ca_certs ca_file cafile cacert capath ca_path certificate insecure ssl_context "
        "verify_certs cert_file",
        "the variables HTTPS_PROXY and NO_PROXY of the environment": "proxy proxies http_proxy https_proxy no_proxy "
        "trust_env proxy_url",
        'the first argument, as in connect("openai/NAME")': "model_name model_id modelname engine deployment "
        "deployment_name deployment_id azure_deployment provider_name",
        "api_version=": "apiversion version openai_api_version",
        "a budget: ParallelLLMExecutor(…, budget=Budget(…))": "max_cost max_cost_usd budget max_budget",
        "ParallelLLMExecutor(…, store=PATH)": "store_path cache_dir cache_path use_cache",
        "ParallelLLMExecutor(…, progress=True)": "progress progress_bar show_progress tqdm",
    }.items()
    for name in names.split()
}  # "store", "metadata", "user" and their like are parameters of requests
_NOTHING = (
    "http_client", "http_async_client", "session", "client", "default_query", "extra_query", "async_client", "verbose",
    "debug",
)  # fmt: skip


def check_names(params: Mapping[str, object]) -> None:
    """Raise SetupError for a name that is clearly no parameter; warn of one that is likely a slip of one.

    >>> check_names({"temperature": 0})
    """
    for name in params:
        plain = name.lower().replace("-", "_")
        if name in KNOWN:
            continue
        ours = _MEANT.get(plain) or _MEANT.get(plain.replace("_", ""))
        if ours is None and (near := get_close_matches(plain, _OWN, 1, cutoff=0.8)):
            ours = f"{near[0]}="
        if plain in _NOTHING:
            raise SetupError(f"connect() has no {name!r}, and nothing in its place: leave it out")
        if ours is not None:
            raise SetupError(f"connect() has no {name!r}: did you mean {ours}?")
    warn_of_typos(params)
