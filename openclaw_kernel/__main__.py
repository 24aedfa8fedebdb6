"""`python -m openclaw_kernel -f FILE`: how Jupyter starts the OpenClaw kernel."""

from ipykernel.kernelapp import IPKernelApp

from openclaw_kernel.notebook.kernel import OpenClawKernel

if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=OpenClawKernel)
