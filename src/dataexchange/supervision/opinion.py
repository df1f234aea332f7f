"""Expert opinions 专家意见: what a panel concluded about an asset, a valuation, a dispute, a claim.

The opinion and the list of the panel's members are known by hash; experts are natural persons and
never named in the log. Whoever convenes a panel is no party to what it judges.
"""

from enum import StrEnum

from dataexchange.ledger.statement import format_time
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.payload import Count, Hash, Line, PositiveCount
from dataexchange.rules.reference import OpinionId
from dataexchange.rules.refusal import NOT_FOUND
from dataexchange.supervision.subject import Subject

OPINION_RULES = "domain: expert panel opinions; 资产评估法 art. 13 (independence)"


class Conclusion(StrEnum):
    """What a panel concluded."""

    SUPPORTED = "supported"  # 通过
    CONDITIONAL = "conditional"  # 修改后通过
    OPPOSED = "opposed"  # 不通过


NOT_INDEPENDENT = RefusalCode(
    "opinion.not_independent",
    clause=OPINION_RULES,
    zh="{actor} 是 {subject} 的当事方，不得就其出具意见",
    en="{actor} has a part in {subject} and may give no opinion on it",
    kind="forbidden",
)
VOTES_DIFFER = RefusalCode(
    "opinion.votes_differ",
    clause=OPINION_RULES,
    zh="{experts} 名专家中 {supporting} 名同意，与结论 {conclusion} 不符",
    en="{supporting} of {experts} experts in favour do not make the conclusion {conclusion}",
    kind="malformed",
)


class Opinion(State, frozen=True, kw_only=True):
    """A panel's opinion; `subject_head` is the leaf hash of the last entry on its subject."""

    KIND = "opinion"

    subject: str
    subject_head: str
    given_by: str
    question: str
    conclusion: Conclusion
    experts: int
    supporting: int
    panel: str
    opinion: str
    given_at: str


class OpinionGiven(Payload):
    """What was asked, how the panel voted; its opinion and the list of its members by hash."""

    opinion: OpinionId
    subject: Subject
    question: Line
    conclusion: Conclusion
    experts: PositiveCount
    supporting: Count
    panel_sha256: Hash
    opinion_sha256: Hash


@event(
    "opinion.given@1",
    by={Role.DATA_SERVICE, Role.APPRAISER, Role.OPERATOR, Role.REGULATOR},
    zh="出具专家意见",
    en="Give an expert opinion",
    clause=OPINION_RULES,
    also=lambda payload, actor: (payload.subject,),
    sealable=("details",),
)
def give(view: View, event: Event[OpinionGiven]) -> Changes:
    """Record a panel's opinion on any aggregate; it binds nobody, and anyone may rest on it."""
    said = event.payload
    view.require_new(said.opinion)
    subject = view.find(State, said.subject)
    if subject is None:
        raise NOT_FOUND(key=said.subject)
    if event.actor.encode() in subject.encode():
        raise NOT_INDEPENDENT(actor=event.actor, subject=subject.id)
    _require_votes(said)
    return Opinion(
        id=said.opinion,
        subject=subject.id,
        subject_head=view.head(subject.id),
        given_by=event.actor,
        question=said.question,
        conclusion=said.conclusion,
        experts=said.experts,
        supporting=said.supporting,
        panel=said.panel_sha256,
        opinion=said.opinion_sha256,
        given_at=format_time(event.recorded_at),
    )


def _require_votes(said: OpinionGiven) -> None:
    """Refuse a conclusion that is not the majority's."""
    in_favour = 2 * said.supporting > said.experts
    if said.supporting > said.experts or in_favour == (said.conclusion is Conclusion.OPPOSED):
        raise VOTES_DIFFER(
            supporting=said.supporting, experts=said.experts, conclusion=said.conclusion.value
        )
