package main

import (
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// inCluster returns a client for the pod's own service account.
//
// CONTROL_PLANE_ENDPOINT (host:port), when set, replaces the Service address: a
// program that kube-proxy or the pod network waits for cannot wait for either.
func inCluster() (kubernetes.Interface, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("read the pod's service account: %w", err)
	}
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	return kubernetes.NewForConfig(config)
}

// requiredEnv returns the values of the named variables, in order.
func requiredEnv(names ...string) ([]string, error) {
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = os.Getenv(name)
		if values[i] == "" {
			return nil, fmt.Errorf("the environment variable %s is empty; the manifest sets it", name)
		}
	}
	return values, nil
}
