"""Electronic certificates 电子证照: issued by public bodies, presented to others, revoked.

The certificate itself is a verifiable credential kept outside; the log commits to it and to whom it
was issued, and never names a person.
"""

from typing import Annotated

from pydantic import Field

from dataexchange.identity.party import Party
from dataexchange.ledger.statement import parse_time
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_actor, require_status
from dataexchange.rules.payload import Code, Hash, Line, Moment
from dataexchange.rules.reference import CertificateId

ISSUER_UNFIT = RefusalCode(
    "certificate.issuer_unfit",
    clause="国务院关于在线政务服务的若干规定 (国务院令第716号) art. 10",
    zh="{party} 不是政务服务机构，不能签发电子证照",
    en="{party} is no public body and cannot issue an electronic certificate",
    kind="forbidden",
)
CERTIFICATE_EXPIRED = RefusalCode(
    "certificate.expired",
    clause="GB/T 36903-2018",
    zh="电子证照 {certificate} 已于 {until} 到期",
    en="Certificate {certificate} expired at {until}",
    remedy_zh="向签发机构换发。",
    remedy_en="Ask the issuer for a new one.",
    kind="conflict",
)


class Certificate(State, frozen=True, kw_only=True):
    """An electronic certificate, by commitments; times RFC 3339."""

    KIND = "certificate"

    issuer: str
    certificate_type: str
    subject: str
    credential: str
    status: str  # issued | revoked
    until: str | None = None
    presentations: int = 0


class CertificateIssued(Payload):
    """A certificate of a type; subject and credential are salted hashes."""

    certificate: CertificateId
    certificate_type: Annotated[Code, Field(description="证照类型 of the national list")]
    subject: Hash
    credential: Annotated[Hash, Field(description="SHA-256 of the verifiable credential")]
    until: Moment | None = None


class CertificatePresented(Payload):
    """A presentation, recorded by the party to which it was made."""

    certificate: CertificateId
    purpose: Line
    presentation: Annotated[Hash, Field(description="SHA-256 of the verifiable presentation")]


class CertificateRevoked(Payload):
    """The end of a certificate."""

    certificate: CertificateId
    reason: Line


@event(
    "certificate.issued@1",
    by={Role.PROVIDER, Role.REGISTRAR},
    zh="签发电子证照",
    en="Issue an electronic certificate",
    clause="国务院令第716号 art. 10; GB/T 36903-2018",
    sealable=("person",),
)
def issue(view: View, event: Event[CertificateIssued]) -> Changes:
    """A public body commits to a certificate that it issued."""
    given = event.payload
    view.require_new(given.certificate)
    if not view.get(Party, event.actor).is_public_body:
        raise ISSUER_UNFIT(party=event.actor)
    if given.until is not None and parse_time(given.until) <= event.recorded_at:
        raise CERTIFICATE_EXPIRED(certificate=given.certificate, until=given.until)
    return Certificate(
        id=given.certificate,
        issuer=event.actor,
        certificate_type=given.certificate_type,
        subject=given.subject,
        credential=given.credential,
        status="issued",
        until=given.until,
    )


@event(
    "certificate.presented@1",
    by=set(Role),
    zh="出示电子证照",
    en="Record the presentation of a certificate",
    clause="国务院令第716号 art. 10",
)
def present(view: View, event: Event[CertificatePresented]) -> Changes:
    """Whoever was shown a valid certificate records that, by the presentation's hash."""
    certificate = view.get(Certificate, event.payload.certificate)
    require_status(certificate, "issued")
    if certificate.until is not None and event.recorded_at >= parse_time(certificate.until):
        raise CERTIFICATE_EXPIRED(certificate=certificate.id, until=certificate.until)
    return certificate.but(presentations=certificate.presentations + 1)


@event(
    "certificate.revoked@1",
    by={Role.PROVIDER, Role.REGISTRAR},
    zh="吊销电子证照",
    en="Revoke a certificate",
    clause="国务院令第716号 art. 10",
)
def revoke(view: View, event: Event[CertificateRevoked]) -> Changes:
    """The issuer ends a certificate."""
    certificate = view.get(Certificate, event.payload.certificate)
    require_status(certificate, "issued")
    require_actor(event.actor, certificate.issuer, certificate.id)
    return certificate.but(status="revoked")
