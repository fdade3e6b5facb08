"""A decoder whose groups are asked what they are worth (claims C33, C36; the reviewers' doubts D04, D05)."""
