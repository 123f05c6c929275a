"""Clients of Kafka: sending, receiving, offsets, lag, topics."""
