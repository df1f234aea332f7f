"""The Python SDK: builds, signs and sends events, and checks the proofs that come back."""
