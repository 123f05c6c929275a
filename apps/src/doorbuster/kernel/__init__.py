"""What every part shares: ids, errors, refusals, a breaker, a pause. No input or output, and no clock is read."""
