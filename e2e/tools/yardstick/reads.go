package main

import (
	"context"
	"slices"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Before the first call that counts: a node's daemon runs for months.
const warmUp = 3 * time.Second

// reads measures what the kubelet asks all the time, in milliseconds a call.
func reads(ctx context.Context, sides [2]*runtime, pairs, calls int) error {
	verbs := []struct {
		name string
		call func(*runtime, int) error
	}{
		{"Status", func(r *runtime, _ int) error {
			_, err := r.calls.Status(ctx, &cri.StatusRequest{})
			return err
		}},
		{"ListPodSandbox", func(r *runtime, _ int) error {
			_, err := r.calls.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
			return err
		}},
		{"ListContainers", func(r *runtime, _ int) error {
			_, err := r.calls.ListContainers(ctx, &cri.ListContainersRequest{})
			return err
		}},
		{"PodSandboxStatus", func(r *runtime, i int) error {
			_, err := r.calls.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: r.pods[i%len(r.pods)]})
			return err
		}},
		{"ContainerStatus", func(r *runtime, i int) error {
			_, err := r.calls.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: r.containers[i%len(r.containers)]})
			return err
		}},
	}
	for _, verb := range verbs {
		next := map[*runtime]int{}
		turn := func(r *runtime) (map[string]float64, error) {
			until := time.Now()
			if next[r] == 0 {
				until = until.Add(warmUp)
			}
			var times []float64
			for len(times) < calls || time.Now().Before(until) {
				began := time.Now()
				if err := verb.call(r, next[r]); err != nil {
					return nil, err
				}
				times = append(times, millis(began))
				next[r]++
			}
			slices.Sort(times)
			n := len(times)
			return map[string]float64{"p50": times[n/2], "p99": times[n*99/100]}, nil
		}
		if err := turns(pairs, sides, turn, verb.name); err != nil {
			return err
		}
	}
	return nil
}
