"""Points of users: charged, spent on orders, restored. Also the payment step of the order saga."""
