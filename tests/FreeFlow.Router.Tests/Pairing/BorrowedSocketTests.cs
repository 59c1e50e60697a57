using System;
using System.Globalization;
using System.Linq;
using FreeFlow.Native;
using FreeFlow.Router.Pairing;
using FreeFlow.Router.Tests.Processes;
using NUnit.Framework;

namespace FreeFlow.Router.Tests.Pairing;

/// <summary>A socket that a program has shown and its child has kept, under another number.</summary>
public sealed class BorrowedSocketTests
{
    private const int Others = 300;

    private const string Program = """
        import os, resource, socket, struct, sys, time
        shown = socket.socketpair()[0]
        cookie, = struct.unpack("Q", shown.getsockopt(socket.SOL_SOCKET, 57, 8))
        others = [os.dup(0) for _ in range(300)]
        closed, closing = os.pipe()
        if os.fork() == 0:
            os.close(closing)
            os.read(closed, 1)
            os.dup2(shown.fileno(), 700)
            shown.close()
            print(os.getppid(), os.fstat(700).st_ino, cookie, "shown", flush=True)
            time.sleep(600)
        number = shown.fileno()
        shown.close()
        os.close(closing)
        os.wait()
        """;

    private TestProcess _program = null!;
    private int _process;
    private SocketName _name;

    [SetUp]
    public void SetUp()
    {
        // The child goes with its parent.
        _program = new TestProcess("python3", "-c", "import ctypes; ctypes.CDLL(None).prctl(36, 1)\n" + Program);
        Assert.That(_program.WaitFor("shown"), _program.Output);
        ulong[] said = [.. _program.Output.Split(' ').Take(3).Select(text => ulong.Parse(text, CultureInfo.InvariantCulture))];
        (_process, _name) = ((int)said[0], new SocketName(said[1], said[2]));
    }

    [TearDown]
    public void TearDown()
    {
        _program.Process.Kill(entireProcessTree: true);
        _program.Dispose();
    }

    [Test]
    public void WhoHasItAndWhereIsRemembered()
    {
        BorrowedSocket socket = new(_process, 3, _name);
        Take(socket);
        long read = socket.NamesRead;
        Assert.That(read, Is.GreaterThan(Others));
        Take(socket);
        Assert.That(socket.NamesRead, Is.EqualTo(read), "no list is read again");
    }

    [Test]
    public void ASearchComesToAnEnd()
    {
        BorrowedSocket socket = new(_process, 3, _name, mostNames: Others / 2);
        Assert.That(socket.Take(), Is.EqualTo(-1));
        Assert.That(socket.NamesRead, Is.InRange(1, Others / 2));
    }

    private void Take(BorrowedSocket socket)
    {
        int taken = socket.Take();
        Assert.That(taken, Is.GreaterThanOrEqualTo(0));
        Assert.That(_name.IsThatOf(taken));
        Libc.close(taken);
    }
}
