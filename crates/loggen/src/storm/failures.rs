//! Lists the failures that are the same for every kind of server: network, DNS, TLS and mail loops.

use super::reply::FailureStage::{Dns, Dot, Loop, Lost, Net, Tls};
use super::reply::{DeliveryFailure, fail};

pub(crate) const TIMED_OUT: DeliveryFailure = fail(0, "4.4.1", Net, "Connection timed out");
pub(crate) const REFUSED: DeliveryFailure = fail(0, "4.4.1", Net, "Connection refused");
pub(crate) const UNREACHABLE: DeliveryFailure = fail(0, "4.4.1", Net, "Network is unreachable");
pub(crate) const NO_ROUTE: DeliveryFailure = fail(0, "4.4.1", Net, "No route to host");
pub(crate) const NO_NAME: DeliveryFailure = fail(0, "4.4.3", Dns, "Host not found, try again");
pub(crate) const BROKEN: DeliveryFailure =
    fail(0, "4.4.2", Lost, "while receiving the initial server greeting");
pub(crate) const HANDSHAKE: DeliveryFailure = fail(0, "4.7.5", Tls, "Cannot start TLS: handshake failure");
pub(crate) const NOT_OFFERED: DeliveryFailure =
    fail(0, "4.7.4", Tls, "TLS is required, but was not offered by host %h");
pub(crate) const NOT_TRUSTED: DeliveryFailure = fail(0, "4.7.5", Tls, "Server certificate not trusted");
pub(crate) const NOT_VERIFIED: DeliveryFailure = fail(0, "4.7.5", Tls, "Server certificate not verified");
pub(crate) const TO_MYSELF: DeliveryFailure = fail(0, "5.4.6", Loop, "mail for %d loops back to myself");
pub(crate) const TOO_MANY_HOPS: DeliveryFailure = fail(554, "5.4.6", Dot, "Error: too many hops");
pub(crate) const TOO_MANY_RECEIVED: DeliveryFailure =
    fail(550, "", Dot, "Too many \"Received\" headers - suspected mail loop");
