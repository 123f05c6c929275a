"""Messages that are stored with what they tell of, and their way to Kafka (R9)."""
