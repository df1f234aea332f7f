"""The roles that a party may hold on the exchange, with their Chinese terms."""

from enum import StrEnum


class Role(StrEnum):
    """A role of a party 主体; a party may hold several."""

    __hash__ = str.__hash__  # equal to its text, and quicker than that of Enum

    OPERATOR = "operator"  # 运营机构
    PROVIDER = "provider"  # 数据提供方
    BUYER = "buyer"  # 数据需求方
    DATA_SERVICE = "data_service"  # 数据商、质量评估、合规服务
    APPRAISER = "appraiser"  # 评估机构
    GUARANTOR = "guarantor"  # 担保机构
    LENDER = "lender"  # 资金方
    INSURER = "insurer"  # 保险机构
    REGISTRAR = "registrar"  # 登记机构
    REGULATOR = "regulator"  # 监管机构
    WITNESS = "witness"  # 见证方
