"""What shoppers do. The only place, beside the locustfile, that knows locust and gevent."""
