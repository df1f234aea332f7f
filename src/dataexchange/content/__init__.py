"""What hashes stand for: the content store, commitments to files, their profile and quality."""
