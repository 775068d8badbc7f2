"""What the hub and headquarters say to each other: records, batches, acks, topics and the body of every event."""
