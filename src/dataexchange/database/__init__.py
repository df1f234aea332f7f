"""Tables, migrations, queries, and what the sequencer reads and writes."""
