"""Topics, consumer groups, and which group reads what."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Topic(StrEnum):
    """The topics of the order saga, where every message's key is the order's id (R14), and one of issues (R16)."""

    ORDER_CREATED = "order-created"
    STOCK_RESERVED = "stock-reserved"
    COUPON_USED = "coupon-used"
    PROCESS_PAYMENT = "process-payment"
    PAYMENT_RESULT = "payment-result"
    ORDER_CANCELLED = "order-cancelled"
    ORDER_COMPLETED = "order-completed"
    SEND_ORDER_DATA = "send-order-data"
    COUPON_ISSUED = "coupon-issued"
    """The key of every message in it is the issue's id."""


class Group(StrEnum):
    """The consumer groups; each is a Deployment `consumer-<name>` of its own and scales by itself."""

    STOCK = "stock-service-group"
    COUPON = "coupon-service-group"
    ORDER_FLOW = "order-flow-manager-group"
    PAYMENT = "payment-service-group"
    POST_PROCESS = "post-process-group"
    EXTERNAL_DATA = "external-data-service-group"
    COUPON_ISSUER = "coupon-issuer-group"


READ_BY: Mapping[Group, tuple[Topic, ...]] = MappingProxyType(
    {
        Group.STOCK: (Topic.ORDER_CREATED, Topic.ORDER_CANCELLED),
        Group.COUPON: (Topic.ORDER_CREATED, Topic.ORDER_CANCELLED),
        Group.ORDER_FLOW: (Topic.STOCK_RESERVED, Topic.COUPON_USED, Topic.PAYMENT_RESULT),
        Group.PAYMENT: (Topic.PROCESS_PAYMENT, Topic.ORDER_CANCELLED),
        Group.POST_PROCESS: (Topic.ORDER_COMPLETED,),
        Group.EXTERNAL_DATA: (Topic.SEND_ORDER_DATA,),
        Group.COUPON_ISSUER: (Topic.COUPON_ISSUED,),
    }
)

# Topics that have a number of partitions of their own, whatever the others have: an issue of coupons comes as a spike.
OWN_PARTITIONS: Mapping[Topic, int] = MappingProxyType({Topic.COUPON_ISSUED: 10})


def dead_letter_topic(topic: str) -> str:
    """Return the topic for messages of `topic` that can never succeed."""
    return f"{topic}.dlt"
