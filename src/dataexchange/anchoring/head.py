"""The contract's head, for a log that asks at its start whether it is whole."""

from collections.abc import Sequence

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import Chain, opened_chain
from dataexchange.anchoring.errors import RpcUnavailableError
from dataexchange.anchoring.source import TreeHead


async def anchored_head(site: AnchorSite, rpc_urls: Sequence[str]) -> TreeHead | None:
    """Return the size and root that the contract holds now, final or not; None if it is empty.

    A head that a re-org undoes counts as well: the operator signed it. `WrongContractError` where
    the contract is not ours, `RpcUnavailableError` where no node answers.
    """
    async with opened_chain(rpc_urls) as chain:
        for _ in rpc_urls[1:]:
            try:
                return await _head(chain, site)
            except RpcUnavailableError:
                chain.next_endpoint()
        return await _head(chain, site)


async def _head(chain: Chain, site: AnchorSite) -> TreeHead | None:
    await chain.require_site(site)
    head = await chain.head(site)
    return head if head.size else None
