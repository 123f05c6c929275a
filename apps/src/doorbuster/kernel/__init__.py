"""Words that every part shares: ids, errors. No input or output, no clock."""
