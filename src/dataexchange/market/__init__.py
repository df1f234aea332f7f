"""Listing 挂牌, licence 许可, settlement 结算, delivery 交付, dispute 争议, title 权属转移.

terms, price, offer     what may be done, for what, and both together
listing, auction        what is offered to the market, and to whom it falls
ceiling, admission      what the price authority and the data's grade allow
negotiation, agreement  a licence up to its effect, in the Dataspace Protocol's states
licence, breach, change a licence in its term and to its end
delivery, usage         what the provider performs
settlement, deposit     where the money goes
dispute                 what holds it, and who decides
transfer                title itself
odrl                    terms and agreements as ODRL
"""
