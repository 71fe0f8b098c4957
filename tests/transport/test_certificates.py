"""Certificates of one's own: trusted besides the usual ones, and checked at once."""

import shutil
import ssl
import subprocess

import pytest

from ingather import LLMMessage, connect
from ingather.errors import SetupError, TlsFailed
from ingather.transport.certificates import trusting
from tests.servers.raw import RawServer, answer, completion

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="no openssl to make a certificate with"
)
HI = [LLMMessage("user", "Hi")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that nobody has signed, in a folder of its own, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = (folder / "cert.pem", folder.parent / f"{folder.name}.key")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-out", made[0], "-keyout", made[1]]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return made


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def asked(server, host="localhost", **options):
    provider = connect("openai/m", base_url=f"https://{host}:{server.port}/v1", **options)
    try:
        return (await provider.complete(HI)).content
    finally:
        await provider.aclose()


@pytest.mark.blocking_ok  # the server's side of TLS, and the certificates are read here
@pytest.mark.parametrize("where", ["file", "folder", "text", "DER"])
async def test_certificate_that_is_given_is_trusted(certificate, tls, where, tmp_path):
    file = certificate[0]
    binary = tmp_path / "cert.cer"
    binary.write_bytes(ssl.PEM_cert_to_DER_cert(file.read_text()))
    ca = {"file": file, "folder": file.parent, "text": str(file), "DER": binary}[where]
    async with RawServer(answer(completion()), tls=tls) as server:
        assert await asked(server, ca=ca) == "Hello"


@pytest.mark.blocking_ok  # as above
async def test_without_it_the_error_says_how_to_give_it(tls):
    async with RawServer(answer(completion()), tls=tls) as server:
        with pytest.raises(TlsFailed, match="give ca= the file of who signed it"):
            await asked(server)
    assert server.requests == []


@pytest.mark.blocking_ok  # as above
async def test_it_holds_for_its_own_host_only(certificate, tls):
    async with RawServer(answer(completion()), tls=tls) as server:
        with pytest.raises(TlsFailed, match="IP address mismatch") as caught:
            await asked(server, "127.0.0.1", ca=certificate[0])
    assert "give ca=" not in str(caught.value)
    assert server.requests == []


def test_what_this_machine_trusts_stays_trusted(certificate):
    usual = ssl.create_default_context()
    context = trusting(certificate[0])
    assert context.cert_store_stats()["x509"] == usual.cert_store_stats()["x509"] + 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_bad_file_is_a_set_up_error_at_once(certificate, tmp_path):
    (tmp_path / "empty.pem").write_bytes(b"")
    (tmp_path / "words.pem").write_text("no certificate\n")
    (tmp_path / "cut.pem").write_bytes(certificate[0].read_bytes()[:200])
    (tmp_path / "folder").mkdir()
    wrong = ("missing.pem", "empty.pem", "words.pem", "cut.pem", "folder")
    for path in (*(tmp_path / name for name in wrong), certificate[1]):
        with pytest.raises(SetupError, match="ca"):
            connect("openai/m", base_url="https://localhost:1/v1", ca=path)


def test_it_is_of_use_with_https_alone(certificate):
    with pytest.raises(SetupError, match="ca= is for https://"):
        connect("openai/m", base_url="http://localhost:1/v1", ca=certificate[0])


@pytest.mark.parametrize("name", ["verify", "ssl_verify", "insecure"])
def test_checking_cannot_be_switched_off(name):
    with pytest.raises(SetupError, match="they are always checked"):
        connect("openai/m", base_url="https://localhost:1/v1", **{name: False})  # type: ignore[call-overload]
