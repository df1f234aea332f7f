"""Use cases: the sequencer, publishing of checkpoints, reports."""
