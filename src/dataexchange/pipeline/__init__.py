"""One asset through the five stages: 汇聚, 治理, 开放, 应用, 流通."""
