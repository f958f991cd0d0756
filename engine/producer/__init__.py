"""The producer: partitioner, asynchronous queue, in-flight batches, and the page views it generates."""
