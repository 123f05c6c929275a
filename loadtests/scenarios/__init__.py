"""What shoppers do. The only place, beside the locustfiles, that knows locust and gevent."""
