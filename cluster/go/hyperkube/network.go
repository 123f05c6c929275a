package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

const (
	cniConfigPath = "/etc/cni/net.d/10-node-network.conflist"
	// The engine's bridge has an MTU of 1500 and nothing is encapsulated.
	podMTU = 1500
	// A lost watch event heals within this time.
	resyncPeriod = 30 * time.Second
)

// One point-to-point link a pod, addresses from the node's own range.
const cniConfig = `{"cniVersion": "1.0.0", "name": "node-network", "plugins": [
  {"type": "ptp", "mtu": %d, "ipMasq": false,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam-state",
            "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`

// Only what leaves the pod network is masqueraded: between pods the source
// address must stay the pod's, or no NetworkPolicy could tell them apart.
const masqueradeRules = `table ip node-network
delete table ip node-network
table ip node-network {
  chain postrouting {
    type nat hook postrouting priority srcnat - 5; policy accept;
    ip saddr %[1]s ip daddr != %[1]s fib daddr type != local masquerade
  }
}
`

// runNodeNetwork connects this node's pods to those of the other nodes.
//
// It runs once a node in the host's network, writes the node's CNI configuration,
// keeps one route to each other node's pod range, and masquerades the rest. It
// stands where a published kind image has kindnet, which no Go module offers.
func runNodeNetwork(ctx context.Context) error {
	env, err := requiredEnv("NODE_NAME", "POD_SUBNET")
	if err != nil {
		return err
	}
	self, podSubnet := env[0], env[1]
	if err := masquerade(ctx, podSubnet); err != nil {
		return err
	}
	client, err := inCluster()
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, resyncPeriod)
	if _, err := factory.Core().V1().Nodes().Informer().AddEventHandler(nodeHandler(self)); err != nil {
		return fmt.Errorf("watch nodes: %w", err)
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	factory.Shutdown()
	return nil
}

func masquerade(ctx context.Context, podSubnet string) error {
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(fmt.Sprintf(masqueradeRules, podSubnet))
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("load the masquerade rules: %w: %s", err, out)
	}
	return nil
}

func nodeHandler(self string) cache.ResourceEventHandler {
	apply := func(object any, change func(*netlink.Route) error) {
		if node, ok := object.(*corev1.Node); ok {
			if err := connect(self, node, change); err != nil {
				slog.Error("node not connected, will be tried again", "node", node.Name, "error", err)
			}
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { apply(object, netlink.RouteReplace) },
		UpdateFunc: func(_, object any) { apply(object, netlink.RouteReplace) },
		DeleteFunc: func(object any) { apply(object, netlink.RouteDel) },
	}
}

// connect writes the CNI configuration for this node, or changes the route to another.
func connect(self string, node *corev1.Node, change func(*netlink.Route) error) error {
	if node.Spec.PodCIDR == "" {
		return nil
	}
	if node.Name == self {
		return writeIfChanged(cniConfigPath, fmt.Sprintf(cniConfig, podMTU, node.Spec.PodCIDR))
	}
	_, destination, err := net.ParseCIDR(node.Spec.PodCIDR)
	if err != nil {
		return fmt.Errorf("read the pod range: %w", err)
	}
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return change(&netlink.Route{Dst: destination, Gw: net.ParseIP(address.Address)})
		}
	}
	return nil
}

// writeIfChanged replaces the file in one step: containerd reads it as soon as it appears.
func writeIfChanged(path, content string) error {
	if have, err := os.ReadFile(path); err == nil && string(have) == content {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(content), 0o644); err != nil {
		return err
	}
	slog.Info("writing", "path", path)
	return os.Rename(temporary, path)
}
