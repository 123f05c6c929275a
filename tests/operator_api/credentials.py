"""Keys and certificates of one API server, made on the spot and worth nothing afterwards."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=1)
# A machine whose clock was set back a little must still believe them.
SLACK = timedelta(minutes=5)
# Who is in it may do everything: Kubernetes' own bootstrap binding says so.
ADMINISTRATORS = "system:masters"

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """PEM files in one folder; `<name>.crt` and `<name>.key`."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The certificate that all others are signed with."""
        return self.folder / "authority.crt"

    @property
    def tokens_key(self) -> Path:
        """Signs the tokens of service accounts."""
        return self.folder / "tokens.key"

    def certificate(self, name: str) -> Path:
        """Return where the certificate of `server` or `admin` is."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Return where the key of `server` or `admin` is."""
        return self.folder / f"{name}.key"


def make_credentials(folder: Path) -> Credentials:
    """Make an authority, the certificates of server and administrator, and the key for tokens."""
    made = Credentials(folder=folder)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    basic = x509.BasicConstraints(ca=True, path_length=0)
    _write_certificate(made.authority, _draft(name, name, key).add_extension(basic, critical=True).sign(key, _HASH))
    for who, usage in (("server", ExtendedKeyUsageOID.SERVER_AUTH), ("admin", ExtendedKeyUsageOID.CLIENT_AUTH)):
        own_key = ec.generate_private_key(ec.SECP256R1())
        draft = _draft(_subject(who), name, own_key).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if who == "server":
            draft = draft.add_extension(_loopback(), critical=False)
        _write_certificate(made.certificate(who), draft.sign(key, _HASH))
        _write_key(made.key(who), own_key)
    _write_key(made.tokens_key, ec.generate_private_key(ec.SECP256R1()))
    return made


_HASH = hashes.SHA256()


def _subject(who: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ADMINISTRATORS if who == "admin" else "doorbuster"),
            x509.NameAttribute(NameOID.COMMON_NAME, who),
        ]
    )


def _loopback() -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])


def _draft(subject: x509.Name, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + LIFETIME)
    )


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: Key) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
