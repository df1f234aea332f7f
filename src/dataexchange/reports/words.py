"""The words of a report that are not the appraiser's own, in both languages."""

from dataexchange.reports.block import Language

NUMERALS_ZH = "一二三四五六七八九十"

_WORDS: dict[str, tuple[str, str]] = {
    # titles
    "calculation": ("数据资产价值测算书", "Data asset value calculation"),
    "report": ("数据资产评估报告", "Data asset appraisal report"),
    "record": ("数据资产评估报告（据账本记录）", "Data asset appraisal, as the log records it"),
    "not_a_report": (
        "本文件是测算，不是《资产评估法》所称评估报告，不得用作法定评估依据。",
        "This is a calculation, not an appraisal report under 资产评估法 (Asset Appraisal Law).",
    ),
    # sections
    "conclusion": ("评估结论", "Conclusion"),
    "engagement": ("委托事项与基准日", "Engagement and base date"),
    "subject": ("评估对象及其权利与质量", "The data asset, its rights and quality"),
    "limits": ("评估假设与使用限制", "Assumptions and limits of use"),
    "choice": ("评估方法的选择", "Choice of methods"),
    "reconciliation": ("结论的综合", "Reconciliation"),
    "disclosures": ("披露与提示", "Disclosures and warnings"),
    "signatures": ("独立性声明与签章", "Independence, signatures and seal"),
    "recomputation": ("复算与证明", "Recomputation and proof"),
    # conclusion
    "value": ("评估值", "Value"),
    "in_words": ("大写", "In words"),
    "drawn_interval": ("模拟区间", "Simulated interval"),
    "weighted_interval": (
        "各方法区间的加权值（假定同向偏离）",
        "Weighted intervals of the methods, erring together",
    ),
    "recorded_interval": ("账本记录的 P10–P90", "P10 to P90 on the log"),
    "method_range": ("各方法结果区间", "Range between methods"),
    "method_spread": ("各方法差异率", "Spread between methods"),
    "status": ("账本状态", "Status on the log"),
    "agreed": ("协商估值", "Agreed figure"),
    "agreed_by": ("协商签署方", "Agreed by"),
    # engagement
    "number": ("报告编号", "Number"),
    "base_date": ("评估基准日", "Base date"),
    "purpose": ("评估目的", "Purpose"),
    "value_type": ("价值类型", "Value type"),
    "currency": ("币种", "Currency"),
    "permitted_users": ("报告使用人", "Permitted users"),
    "valid_until": ("有效期至", "Valid until"),
    "in_document": ("（输入文件）", " (in the document)"),
    "used_on": ("使用日期", "Used on"),
    "client": ("委托方", "Client"),
    "appraiser": ("评估机构", "Appraiser"),
    "validity_rule": (
        "评估结论自基准日起使用有效期不超过一年。",
        "The conclusion serves for at most one year from the base date.",
    ),
    # subject
    "asset": ("数据资产", "Data asset"),
    "asset_version": ("版本", "Version"),
    "owner_type": ("持有主体类型", "Type of holder"),
    "rights": ("权利", "Rights"),
    "scenario": ("应用场景", "Application scenario"),
    "quality_score": ("质量评价得分", "Quality score"),
    "quality_evaluator": ("质量评价机构", "Quality evaluated by"),
    "quality_date": ("质量评价日期", "Quality evaluated on"),
    "assumptions": ("评估假设", "Assumptions"),
    "limits_of_use": (
        "使用限制（含安全与合法性）",
        "Limits of use, security and legality included",
    ),
    # choice
    "approach": ("评估途径", "Approach"),
    "method": ("方法", "Method"),
    "used": ("采用", "used"),
    "not_used": ("未采用", "not used"),
    "supporting": ("辅助计算", "supporting"),
    "weight": ("权重", "Weight"),
    "reason": ("理由", "Reason"),
    "outcome": ("采用与否", "Used?"),
    "only_method_norm": ("只用一种方法的依据", "Why one method alone"),
    "difference_explained": ("各方法差异的说明", "Why the methods differ"),
    "cost": ("成本法", "cost"),
    "income": ("收益法", "income"),
    "market": ("市场法", "market"),
    # method
    "basis": ("依据", "Basis"),
    "norm": ("规范", "Norm"),
    "clause": ("条款", "Clause"),
    "standing": ("核对情况", "How it is known"),
    "formula": ("公式", "Formula"),
    "inputs": ("关键参数及其来源", "Key parameters and their sources"),
    "input": ("参数", "Parameter"),
    "given": ("取值", "Given"),
    "unit": ("单位", "Unit"),
    "source": ("来源", "Source"),
    "as_above": ("同上", "as above"),
    "card_parameter": ("规则卡系数", "coefficient of the card"),
    "working": ("计算过程", "Working"),
    "symbol": ("符号", "Symbol"),
    "exact_value": ("数值", "Value"),
    "meaning": ("含义", "Meaning"),
    "result": ("结果", "Result"),
    "figure": ("指标", "Figure"),
    "tornado": ("敏感性：龙卷风图", "Sensitivity: tornado"),
    "tornado_caption": (
        "逐项变动一个参数，其余不变；蓝色为取低值，橙色为取高值，黑线为评估值。",
        "One parameter moves at a time; blue: set low, orange: set high, black line: the value.",
    ),
    "tornado_low": ("取低值时", "When low"),
    "tornado_high": ("取高值时", "When high"),
    "swing": ("变动幅度", "Swing"),
    "varied": ("变动范围", "Varied"),
    "table": ("敏感性表", "Sensitivity table"),
    "table_caption": (
        "每格都用同一规则卡重新计算；加框的一格取值与本报告相同。",
        "Every cell is the card applied again; the framed cell is as in this report.",
    ),
    "distribution": ("评估值分布", "Distribution of the value"),
    "distribution_caption": (
        "模拟 {draws} 次（种子 {seed}）所得分布；区间只作披露，评估值为精确计算所得。",
        "{draws} draws (seed {seed}). The interval is a disclosure; the value is computed exactly.",
    ),
    "mean": ("均值", "Mean"),
    "standard_error": ("标准误", "Standard error"),
    "methods_chart": ("各方法结果与结论", "The methods and the conclusion"),
    "methods_caption": (
        "菱形为评估值，浅色条为 P10 至 P90，短线为 P50。",
        "Diamond: the value; pale bar: P10 to P90; tick: P50.",
    ),
    # disclosures
    "warnings": ("提示", "Warnings"),
    "not_stated": ("未披露事项", "Not stated"),
    "not_stated_why": (
        "评估报告应当披露而本文件没有写明的事项：",
        "What an appraisal report must state and this document does not:",
    ),
    "withheld": (
        "账本证据包未披露 {card} 的规则卡或输入，本文件不能复算该项结果。",
        "The bundle holds no card or inputs for {card}; that figure is not computed again here.",
    ),
    # signatures
    "independence": ("独立性与利益冲突", "Independence and conflicts"),
    "signers": ("签名评估专业人员", "Signing appraisers"),
    "signer": ("姓名", "Name"),
    "signature": ("签名", "Signature"),
    "date": ("日期", "Date"),
    "seal": ("机构印章", "Seal of the institution"),
    "sealed": ("已加盖", "affixed"),
    "not_sealed": ("未写明", "not stated"),
    "log_signatures": ("账本上的签署", "Signed on the log"),
    "act": ("行为", "Act"),
    "party": ("签署方", "Signed by"),
    "entry": ("条目", "Entry"),
    "recorded_at": ("记录时间（UTC）", "Recorded at (UTC)"),
    # recomputation
    "card": ("规则卡", "Card"),
    "card_hash": ("规则卡 SHA-256", "SHA-256 of the card"),
    "document_hash": ("输入文件 SHA-256", "SHA-256 of the input document"),
    "inputs_hash": ("规范化输入 SHA-256", "SHA-256 of the canonical inputs"),
    "code_version": ("程序版本", "Code version"),
    "draws": ("模拟", "Simulation"),
    "seed_draws": ("种子 {seed}，{draws} 次", "seed {seed}, {draws} draws"),
    "report_hash": ("账本登记的报告 SHA-256", "SHA-256 of the report on the log"),
    "log": ("账本", "Log"),
    "checkpoint": ("检查点", "Checkpoint"),
    "checkpoint_of": ("{size} 条，根 {root}", "{size} entries, root {root}"),
    "leaf": ("叶子哈希", "Leaf hash"),
    "how_to": (
        (
            "用同一规则卡与输入文件运行 dataexchange value，任何人得到同样的分；"
            "持有证据包者运行 dataexchange verify，复算账本上的每个数。"
        ),
        (
            "Run dataexchange value on the same card and document: anyone gets the same fen."
            " With a bundle, dataexchange verify recomputes every figure on the log."
        ),
    ),
    "proof": ("证明", "Proof"),
    "proof_words": ("扫码核验账本证明", "Scan for the proof on the log"),
    "page": ("第 {page} 页，共 {pages} 页", "Page {page} of {pages}"),
}

PURPOSES = {
    "transfer": ("转让", "transfer"),
    "licensing": ("许可使用", "licensing"),
    "contribution": ("出资", "capital contribution"),
    "pledge": ("质押融资", "pledge"),
    "insurance": ("投保", "insurance"),
    "reporting": ("财务报告披露", "financial reporting"),
    "booking": ("入账", "booking"),
    "reference": ("了解价值", "reference"),
}
OWNERS = {
    "company": ("企业", "company"),
    "public_body": ("行政事业单位", "public body"),
    "natural_person": ("自然人", "natural person"),
}
RIGHTS = {
    "hold": ("数据资源持有权", "holding"),
    "process": ("数据加工使用权", "processing and use"),
    "operate": ("数据产品经营权", "operation of products"),
}
STANDINGS = {
    "read": ("已读原文", "read in the original"),
    "quoted": ("据引用", "as quoted"),
    "unverified": ("原文未核实", "unverified"),
    "design": ("本项目选择", "our choice"),
}
UNITS = {
    "元": ("元", "CNY"),
    "元 per year": ("元/年", "CNY per year"),
    "元 per full year": ("元/整年", "CNY per full year"),
    "fraction": ("比率", "fraction"),
    "fraction per year": ("比率/年", "fraction per year"),
    "fraction per √year": ("比率/√年", "fraction per √year"),
    "count": ("个", "count"),
    "count from 1": ("序号", "count from 1"),
    "index": ("指数", "index"),
    "entry index": ("条目序号", "entry index"),
    "1/variance": ("1/方差", "1/variance"),
    "any, one for all": ("任一，全表相同", "any, one for all"),
    "as the worth": ("同联盟价值", "as the worth"),
    "fraction of the lowest figure": ("占最低结果的比率", "fraction of the lowest figure"),
    "share of matches": ("匹配比例", "share of matches"),
    "the criterion's own": ("该指标自有单位", "the criterion's own"),
    "SHA-256, hex": ("SHA-256，十六进制", "SHA-256, hex"),
    "month": ("月", "month"),
    "year": ("年", "year"),
    "text": ("文本", "text"),
    "day": ("日期", "day"),
    "point": ("分值", "point"),
    "number": ("数", "number"),
    "times": ("倍", "times"),
    "true or false": ("是否", "true or false"),
}
# What a document writes as a code: choices of the cards, and the members of a row that grows.
CODES = {
    "first": ("首年", "first"),
    "growth": ("年增长", "growth"),
    "amount": ("金额", "amount"),
    "preliminary": ("前期费用", "preliminary"),
    "direct": ("直接", "direct"),
    "indirect": ("间接", "indirect"),
    "opportunity": ("机会成本", "opportunity"),
    "tax": ("税费", "tax"),
    "share": ("分成", "share"),
    "excess": ("超额", "excess"),
    "incremental": ("增量", "incremental"),
    "pre_tax": ("税前", "pre-tax"),
    "post_tax": ("税后", "post-tax"),
    "end": ("年末", "year-end"),
    "mid": ("年中", "mid-year"),
    "ledger": ("账本", "ledger"),
    "outside": ("账本以外", "outside"),
    "benefit": ("效益型", "benefit"),
    "cost": ("成本", "cost"),
    "income": ("收益", "income"),
    "market": ("市场", "market"),
    "higher": ("越高越好", "higher is better"),
    "lower": ("越低越好", "lower is better"),
    "call": ("看涨", "call"),
    "put": ("看跌", "put"),
    "european": ("欧式", "European"),
    "american": ("美式", "American"),
    "english": ("英式拍卖", "English"),
    "second_price": ("第二价格密封拍卖", "second price, sealed"),
    "eigenvector": ("特征向量法", "eigenvector"),
    "column_average": ("列平均法", "column average"),
    "own_use": ("自用", "own use"),
    "appraised_value": ("评估值", "appraised value"),
    "acquisition": ("取得成本", "acquisition"),
    "processing": ("加工", "processing"),
    "ownership_certification": ("权属鉴证", "ownership certification"),
    "quality_evaluation": ("质量评估", "quality evaluation"),
    "registration": ("登记结算", "registration"),
    "security": ("安全管理", "security"),
    "development": ("开发支出", "development"),
    "research": ("研究支出", "research"),
    "other_direct": ("其他直接成本", "other direct cost"),
    "for_sale": ("持有待售", "held for sale"),
    "public_welfare": ("公共治理、公益事业", "public welfare"),
    "commercial": ("产业发展", "commercial"),
    "triangular": ("三角分布", "triangular"),
    "lognormal": ("对数正态分布", "lognormal"),
    "empirical": ("经验分布", "empirical"),
}
ACTS = {
    "valuation.commissioned@1": ("委托评估", "commissioned"),
    "valuation.drafted@1": ("出具初稿", "drafted"),
    "valuation.countersigned@1": ("复核签字", "countersigned"),
    "valuation.issued@1": ("出具报告", "issued"),
    "valuation.agreed@1": ("协商估值", "agreed"),
    "valuation.withdrawn@1": ("撤回", "withdrawn"),
}
STATUSES = {
    "commissioned": ("已委托", "commissioned"),
    "drafted": ("初稿", "drafted"),
    "countersigned": ("已复核", "countersigned"),
    "issued": ("已出具", "issued"),
    "withdrawn": ("已撤回", "withdrawn"),
}


def word(key: str, language: Language, **facts: object) -> str:
    """Return a text of the report in `language`, its `{…}` fields filled."""
    return of_pair(_WORDS[key], language).format(**facts)


def of_pair(pair: tuple[str, str], language: Language) -> str:
    """Return the text in `language` of (zh, en)."""
    return pair[0 if language == "zh" else 1]


def translated(table: dict[str, tuple[str, str]], key: object, language: Language) -> str:
    """Return the text that `table` has for `key`, or the key itself."""
    pair = table.get(str(key))
    return str(key) if pair is None else of_pair(pair, language)


def numbered(place: int, text: str, language: Language) -> str:
    """Return a section's heading with its number, from 1: 一、… or 1. …."""
    if language == "en":
        return f"{place}. {text}"
    tens, ones = divmod(place, 10)
    numeral = ("" if tens < 2 else NUMERALS_ZH[tens - 1]) + ("十" if tens else "")
    return f"{numeral}{NUMERALS_ZH[ones - 1] if ones else ''}、{text}"
