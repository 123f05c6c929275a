"""A kubeconfig as kind writes it."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.ports import free_port


def identity() -> tuple[bytes, bytes]:
    """Return a certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(encoding), private


@pytest.fixture(scope="session")
def kubeconfig() -> dict[str, Any]:
    """What kind writes for the cluster `sale`; nobody listens at its address."""
    certificate, key = (base64.b64encode(part).decode() for part in identity())
    server = f"https://127.0.0.1:{free_port()}"
    return {
        "clusters": [{"cluster": {"server": server, "certificate-authority-data": certificate}}],
        "users": [{"user": {"client-certificate-data": certificate, "client-key-data": key}}],
        "current-context": "kind-sale",
    }
