"""What speaks to MySQL, Redis and Kafka, and what every process needs: batches, metrics, logs."""
